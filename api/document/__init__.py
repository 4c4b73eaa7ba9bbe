"""What is added to the generated document (api/openapi.py), one noun a file, each with `apply(document)`:
shapes (names and defaults that clients are generated from), words (tags, summaries in two languages),
versions (app version, deprecation), limits, links, examples."""
