"""A person's rights over the own data: what was asked for and its terms, closing the account, being erased.
"""
