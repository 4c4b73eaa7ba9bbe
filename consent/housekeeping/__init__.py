"""What of requests for access has ended and goes. Requests, grants and refusals stay."""
