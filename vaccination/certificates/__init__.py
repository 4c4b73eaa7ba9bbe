"""HC1 certificates of doses: who gets one and why not, issuing, renewing, replacing and revoking."""
