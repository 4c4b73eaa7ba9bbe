"""Codes that a practitioner types: the SMS of tier D, and the one statement that checks a secret."""
