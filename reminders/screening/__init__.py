"""Exams and screening that are due: versioned rules, each with its source, and what people chose of them."""
