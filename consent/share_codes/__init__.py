"""Share codes: eight characters that a person gives to a registered practitioner, who gets a grant."""
