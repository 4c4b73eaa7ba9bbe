"""Units of a facility that carry a right of their own, and who works in them."""
