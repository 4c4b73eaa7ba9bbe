"""What a person lets partners and apps have: given once for so long, seen in one list, ended at once."""
