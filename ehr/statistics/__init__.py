"""Numbers for a health department: counted once a day, rounded cell by cell, published as one set."""
