"""The record on its way out: patient summary (IPS), Bundle of everything, papers."""
