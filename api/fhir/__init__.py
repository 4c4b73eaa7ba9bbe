"""The FHIR endpoint for apps that people let in."""
