"""Reports of accesses: a person asks about a row of the own log, and somebody answers by a day."""
