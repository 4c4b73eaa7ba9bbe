"""Campaigns of a facility, and who registers for them: a place, the waiting list, the list of the day."""
