"""What facilities reported of persons, taken back when the sending that brought it is taken back."""
