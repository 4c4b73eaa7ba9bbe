"""The directory: which facilities there are, what they offer, where they are, when they are open."""
