"""Kiosks: a device at one counter of one facility, and what people do at it."""
