"""The person's say about the own book: cases, their clocks, and what they take out of every view."""
