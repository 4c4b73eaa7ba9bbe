"""Rights over one's own data: what was asked for and its terms, closing the account, being erased."""
