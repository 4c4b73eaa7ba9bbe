"""The ways to prove who one is that need somebody outside: adapters of identity/ports.py IdentityVerifier."""
