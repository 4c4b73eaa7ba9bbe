"""Papers that a person adds to the own book, or a relative for the person: a photo or a PDF and words."""
