"""What a person wants to be reminded of: words of one's own, or a measurement."""
