"""What of sign-ins, activations and counted tries has ended and goes."""
