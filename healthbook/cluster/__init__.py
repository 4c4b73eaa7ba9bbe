"""From one machine to a cluster: the tables spread, and a filled database copied there (docs/runbook.md)."""
