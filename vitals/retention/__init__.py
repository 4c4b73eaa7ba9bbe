"""How long measurements are kept."""
