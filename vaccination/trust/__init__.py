"""Whose signatures count: lists of document signers that others publish, and our own (security.md S29)."""
