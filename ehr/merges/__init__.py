"""Moving the rows of one person's record to another person and back (security.md S10)."""
