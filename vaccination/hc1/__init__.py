"""HC1: health certificates as the European digital COVID certificate carries them (hcert-spec 1.0.8)."""
