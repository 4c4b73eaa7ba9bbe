"""Which versions of people's apps may call, what they show, and how many still use which."""
