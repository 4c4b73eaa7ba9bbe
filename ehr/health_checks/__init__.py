"""Health checks (yearly, school, work, elderly, driving licence): forms as data, a section of their own."""
