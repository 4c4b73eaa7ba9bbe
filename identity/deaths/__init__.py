"""A reported death, and how it becomes a death or nothing (security.md S18)."""
