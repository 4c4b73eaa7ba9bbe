"""The signer as the rest of the service sees it: bytes in, a signature out, one for each issuance."""

from typing import Literal, Protocol
from uuid import UUID

# cose: a Sig_structure (RFC 9052 §4.4); jws: a JWS signing input (RFC 7515 §5.1).
Shape = Literal["cose", "jws"]
# What a key is for; a key signs the shape of its purpose and nothing else.
SignerPurpose = Literal["hc1", "shc"]
SHAPES: dict[SignerPurpose, Shape] = {"hc1": "cose", "shc": "jws"}

# no-issuance: no row of that number for that person. other-bytes: the row names another hash. other-shape:
# not what the key's purpose signs, or not in its form. already-signed: the row had its signature. given-up:
# whoever asked for it does not want it any more.
# over-budget: the key's day is full. unknown-key: the signer holds no such key, or it is past its use.
# unreachable: no signer is there, or it gave no answer.
SignerReason = Literal[
    "no-issuance",
    "other-bytes",
    "other-shape",
    "already-signed",
    "given-up",
    "over-budget",
    "unknown-key",
    "unreachable",
]


class SignerError(Exception):
    """No signature. The text is the reason alone, never what was to be signed.

    After `unreachable` the row may be spent: open a new issuance rather than ask again.
    """

    def __init__(self, reason: SignerReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Signer(Protocol):
    """Never called inside a transaction: it is another process."""

    async def sign(self, issuance: UUID, patient_id: UUID, key: str, shape: Shape, to_sign: bytes) -> bytes:
        """The raw signature: r‖s of 64 bytes with ES256, 256–384 bytes with PS256. Raises SignerError."""
        ...
