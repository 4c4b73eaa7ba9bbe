"""Replaced, cancelled and attached numbers."""
