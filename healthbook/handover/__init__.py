"""The end of an installation: everything handed over, signed and sealed, then destroyed."""
