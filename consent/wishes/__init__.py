"""What the person wishes: organ donation, limits of treatment, whom to trust."""
