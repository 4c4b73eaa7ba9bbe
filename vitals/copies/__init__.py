"""All measurements of a person as files, for the copy of everything held about that person."""
