"""Exchange with the ministry's axis in the form of QĐ 1551: health checks out within 24 hours, and in."""
