"""Numbers in a line: sequential per counter and Vietnam day, the same one on a rescan (consent.md §3.4)."""
