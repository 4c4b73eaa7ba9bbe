"""Measurements that a care plan of the record asks for with a timing, and their reminders."""
