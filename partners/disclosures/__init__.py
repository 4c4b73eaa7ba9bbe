"""What a partner was handed: the message that asked, its one receipt, and what left, signed."""
