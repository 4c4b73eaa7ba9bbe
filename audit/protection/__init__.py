"""Practitioners whose name a person's log does not show (security.md S27)."""
