"""Which certificates hold no longer, by what a verifier can compute from one alone."""
