"""Days to come back that facilities wrote into the record, and the reminders before them."""
