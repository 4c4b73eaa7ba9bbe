"""What a doctor with a grant hands to a nurse of the same facility."""
