"""`healthbook doctor`: looks at a whole deployment, changes nothing, and explains what it finds."""
