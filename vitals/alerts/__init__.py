"""Rules, the machine that judges by them, and who is told."""
