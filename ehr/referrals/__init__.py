"""Referral letters on their way: sent, received, booked, seen, answered."""
