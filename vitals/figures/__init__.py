"""Figures made of measurements alone: pure, no clock, no database."""
