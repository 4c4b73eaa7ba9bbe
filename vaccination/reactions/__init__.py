"""Reactions after vaccination: what people report, what they are told at once, what facilities do."""
