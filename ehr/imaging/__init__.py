"""Imaging: names of devices and body sites, and the way to a facility's own viewer."""
