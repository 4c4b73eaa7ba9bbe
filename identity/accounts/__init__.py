"""A person's own account: signing up, proving who one is, another phone or PIN, a device that is trusted."""
