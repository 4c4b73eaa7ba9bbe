"""Reads counted where they leave, held against the rows of the log."""
