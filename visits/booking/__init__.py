"""Appointments: schedules of departments and practitioners, a place held, confirmed, given back, missed."""
