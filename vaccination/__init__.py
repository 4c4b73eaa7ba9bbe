"""The book of vaccine doses, the schedule, registration, reactions, and certificates that others verify."""
