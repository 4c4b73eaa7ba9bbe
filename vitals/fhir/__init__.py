"""Measurements as FHIR R4 Observations, made when they are read."""
