"""Administrative units before and after the reform of 2025, as a file says them."""
