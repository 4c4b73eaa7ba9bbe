"""The person's health insurance cards, as facilities reported them with visits."""
