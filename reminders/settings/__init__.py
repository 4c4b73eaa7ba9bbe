"""When a person's day has its meals."""
