"""Tickets of a hotline: what a caller asks, who looks after it, how it ended. No agent sees a record."""
