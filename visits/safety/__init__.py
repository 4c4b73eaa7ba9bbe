"""Visits that the family learns nothing of (security.md S23)."""
