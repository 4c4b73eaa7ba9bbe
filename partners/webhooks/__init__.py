"""What clients are told of: signed, without a word of a record, until it arrives or is stopped."""
