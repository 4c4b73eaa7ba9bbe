"""Apps that a person chooses (SMART App Launch 2.2), and the page where partners are let in too."""
