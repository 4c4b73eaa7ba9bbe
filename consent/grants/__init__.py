"""What a person granted: issuing, ending, listing, and the mirror on the practitioner's side."""
