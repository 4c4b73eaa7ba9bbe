"""Machines of a facility: a secret replaced, a machine ended."""
