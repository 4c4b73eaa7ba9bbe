"""Asking the insurance gateway about a card that is shown at the desk."""
