"""Reminders: what was handed out becomes a plan, a plan becomes times at which the phone rings."""
