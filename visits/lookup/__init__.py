"""Staff find a person by a number, and are shown no more than they need (security.md S19)."""
