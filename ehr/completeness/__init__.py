"""How much of a published list of contents a book holds: lists are data, the measuring is one function."""
