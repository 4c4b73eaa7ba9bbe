"""Vaccination: the book of doses, the schedule, registration, reactions, and certificates that others verify."""
