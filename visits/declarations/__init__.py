"""Declarations before or at a visit: forms that are published in versions, and what people answer."""
