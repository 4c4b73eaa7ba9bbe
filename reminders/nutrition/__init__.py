"""What a book or a reviewed article says about food: shown with its source, and once a week when wanted."""
