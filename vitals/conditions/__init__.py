"""Which diseases of a person's record move a default limit."""
