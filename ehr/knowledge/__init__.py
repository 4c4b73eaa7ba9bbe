"""Articles for people with a long illness: files, and none is shown before a named person reviewed it."""
