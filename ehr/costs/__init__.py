"""What a visit cost and who paid it, for the person and the guardian alone."""
