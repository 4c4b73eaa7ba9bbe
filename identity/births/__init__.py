"""Newborns and the mothers that their birth notes name."""
