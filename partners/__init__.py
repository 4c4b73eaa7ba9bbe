"""Partners and the apps that people choose: how they are let in, and what is handed to them."""
