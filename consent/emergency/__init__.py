"""Breaking the glass: reading what saves a life without a grant, told and reviewed (security.md S24)."""
