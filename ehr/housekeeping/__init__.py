"""What the intake keeps beside the record and lets go: receipts."""
