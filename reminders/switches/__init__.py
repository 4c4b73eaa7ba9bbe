"""Kinds of reminders that a person switched off."""
