"""The health department: lists and numbers without anything clinical and without anybody's name."""
