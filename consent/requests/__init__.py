"""What was asked of a person: the request, its mirror on the asking side, and how it ends."""
