"""The vaccination book: what stands in the record about vaccines, by antigen."""
