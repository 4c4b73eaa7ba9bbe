"""The monthly file of who read how much: counts only, for a facility's officers and the health department."""
