"""OAuth clients: the register of partners' systems and apps, and the tokens that they hold."""
