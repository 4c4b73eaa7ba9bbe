"""Sealed copies of the whole installation, and the way back to any instant (security.md S12, S15)."""
