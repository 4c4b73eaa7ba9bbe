"""Counters of a facility: where people stand in line and are called by number."""
