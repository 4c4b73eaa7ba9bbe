"""Numbers that were typed at a desk and that no visit followed (security.md S7)."""
