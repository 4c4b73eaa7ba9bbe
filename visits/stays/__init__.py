"""Who stays in which room, as a file that the facility hands on itself (residence registration)."""
