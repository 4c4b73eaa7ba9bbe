"""Records typed in by staff of a facility that has no software."""
