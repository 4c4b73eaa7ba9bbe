"""The signer: a process of its own that holds the certificate keys and signs what a row of an issuance names
(security.md S28)."""
