"""Medicines that were ordered at a visit, outside an e-prescription."""
