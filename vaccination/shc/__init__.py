"""The vaccination book as SMART Health Cards (SMART Health Cards Framework 1.4.0)."""
