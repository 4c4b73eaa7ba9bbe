"""What the person says of the times that came: taken, skipped, later; and what follows when nobody does."""
