"""The emergency card: lines that the person ticked, opened by whoever finds the card."""
