"""Copies of the whole installation, sealed, and the way back to any instant of them (security.md S12, S15)."""
