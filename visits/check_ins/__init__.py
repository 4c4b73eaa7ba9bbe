"""Check-ins and check-outs: what they record, how long a visit lasts, and when it is forgotten (S7, S30)."""
