"""What stands out among somebody's active medicines; it blocks nothing, and calls nothing safe."""
