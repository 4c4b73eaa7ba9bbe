"""Facilities that run themselves: the first administrator, who works there, what waits."""
