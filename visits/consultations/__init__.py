"""Written questions to a facility or a doctor of it: asked, accepted, answered, closed. No video."""
