"""Files of doses from the national immunisation and COVID-19 systems: read, matched by number, taken in."""
