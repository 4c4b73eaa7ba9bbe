"""SMART Health Links: what a person hands to any viewer, behind an address, a key and a passcode."""
