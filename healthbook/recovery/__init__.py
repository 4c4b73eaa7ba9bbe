"""What makes a restored database fit to serve again (security.md S12)."""
