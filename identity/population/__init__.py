"""Lists of residents, insurance cards and households that an operator takes in by the hundred thousand."""
