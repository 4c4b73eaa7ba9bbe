"""Whether a certificate or a health card holds: a verdict for every step, and one status."""
