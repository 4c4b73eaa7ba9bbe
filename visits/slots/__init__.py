"""Places of a facility at a time: taken exactly once, waited for in turn, given back, called off."""
