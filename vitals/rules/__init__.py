"""Limits that people and doctors set."""
