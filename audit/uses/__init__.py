"""What was read under one basis: how much and of which kinds, for whoever reviews it."""
