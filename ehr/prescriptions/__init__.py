"""Prescriptions by the national code: sent by facilities, dispensed by pharmacies, read by their person."""
