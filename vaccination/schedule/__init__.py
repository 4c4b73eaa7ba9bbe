"""When which dose is due: the programme's schedule as dated data, counted against the book by antigen."""
