"""Who may see which row beside consent: what the person hides, and results that wait for their release."""
