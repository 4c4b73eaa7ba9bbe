"""What a kiosk asks for: where it stands, a number for whoever stands before it, answers, payments."""
