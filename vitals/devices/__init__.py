"""Devices that send a person's measurements: met with their first batch, shown, taken out."""
