"""Measurements as ratios against a floor or a peer in the same minutes, on the same machine."""
