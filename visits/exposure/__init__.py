"""Who was at a facility in some hours, for the health department, under security.md S30."""
