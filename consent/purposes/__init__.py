"""What the person lets be done with the own data beyond what the law asks for, purpose by purpose."""
