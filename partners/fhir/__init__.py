"""What an app reads as FHIR R4 (International Patient Access 1.1): search, documents, ids. Read only."""
