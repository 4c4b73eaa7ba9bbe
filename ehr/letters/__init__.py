"""Revisit (XML14) and referral letters (XML13): how long they count, whether they were used, their print."""
