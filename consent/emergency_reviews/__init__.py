"""Reviews of broken glass: by somebody outside the unit, in time, and a tenth at another facility (S24)."""
