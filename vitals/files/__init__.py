"""Files of measurements: taken in bit by bit by a worker or an operator's command, and taken back."""
