"""Practitioners and facilities from which a person wants no requests."""
