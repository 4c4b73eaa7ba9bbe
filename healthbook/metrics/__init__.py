"""Figures for Prometheus of every process of an installation: what people feel, and nothing of any person."""
