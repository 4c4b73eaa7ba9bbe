"""How clients prove themselves: signed assertions (RFC 7523), keys of their own (RFC 9449), and the forms of
OAuth 2.0 that a token is asked for with."""
