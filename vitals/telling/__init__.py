"""Who is told of an alert, who has seen it, and in which words."""
