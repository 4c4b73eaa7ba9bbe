"""A file of rows, one person each: a class, a factory, the people of a programme."""
