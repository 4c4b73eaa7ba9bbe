"""What is shown of measurements: the latest, charts, days and weeks, reports and their pictures."""
