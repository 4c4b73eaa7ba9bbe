"""Texts under signatures: a root, a witness's word on it, a leaf. Pure but for the keys."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.chain import canonical
from audit.roots.models import Cosignature, KeyVoucher, Leaf, Root, RootKey, SignedRoot
from store.keys import KeyRing, PrivateKey

FIRST_PREV: Final = "00" * 32
COSIGNATURE_TYP: Final = "audit-root-cosignature"
VOUCHER_TYP: Final = "audit-root-key"


def root_id(root: Root) -> str:
    """What the next root signs of this one."""
    return hashlib.sha256(canonical(root)).hexdigest()


def leaf_data(leaf: Leaf) -> bytes:
    return canonical(leaf)


def pseudonym(keys: KeyRing, patient_id: UUID) -> str:
    """Stable, and nobody without the key can match it to a person."""
    return hmac.digest(keys.first_secret("audit-pseudonym"), patient_id.bytes, hashlib.sha256).hex()


def sign(keys: KeyRing, root: Root) -> bytes:
    """By the key that the root names: another may have become the current one since."""
    key = keys.signers("audit-root")[root.kid]
    assert isinstance(key, Ed25519PrivateKey)
    return key.sign(canonical(root))


def public_keys(keys: KeyRing) -> list[RootKey]:
    """Of every root that was ever signed."""
    held = sorted(keys.public_keys("audit-root").items())
    signers = keys.signers("audit-root")
    return [
        vouched(kid, to_base64url(key.public_bytes_raw()), signers)
        for kid, key in held
        if isinstance(key, Ed25519PublicKey)
    ]


def vouched(kid: str, x: str, signers: Mapping[str, PrivateKey]) -> RootKey:
    """A public key with the word of the newest one before it whose private half is still held."""
    older = [by for by in signers if by < kid]
    if not older:
        return RootKey(kid=kid, x=x)
    by = max(older)
    key = signers[by]
    assert isinstance(key, Ed25519PrivateKey)
    signature = to_base64url(key.sign(_voucher_text(by, kid, x)))
    return RootKey(kid=kid, x=x, vouchers=[KeyVoucher(by=by, signature=signature)])


def holds_voucher(key: RootKey, said: KeyVoucher, by: RootKey) -> bool:
    """Whether `by`, which one knows, names this key."""
    return said.by == by.kid and _holds(by.x, _voucher_text(by.kid, key.kid, key.x), said.signature)


def _voucher_text(by: str, kid: str, x: str) -> bytes:
    return canonical({"by": by, "kid": kid, "typ": VOUCHER_TYP, "v": 1, "x": x})


def holds_root(signed: SignedRoot, keys: list[RootKey]) -> bool:
    """Whether the key that the root names signed it."""
    named = [key.x for key in keys if key.kid == signed.root.kid]
    return len(named) == 1 and _holds(named[0], canonical(signed.root), signed.signature)


def cosigned_text(root: Root, witness: str, at: str) -> bytes:
    """What a witness signs."""
    return canonical(
        {"at": at, "root": root_id(root), "typ": COSIGNATURE_TYP, "v": 1, "witness": witness},
    )


def holds_cosignature(root: Root, said: Cosignature, key: str) -> bool:
    return _holds(key, cosigned_text(root, said.witness, said.at), said.signature)


def is_key(x: str) -> bool:
    """Whether a text is an Ed25519 public key in base64url."""
    raw = from_base64url(x)
    return raw is not None and len(raw) == 32


def to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _holds(x: str, text: bytes, signature: str) -> bool:
    raw_key, raw = from_base64url(x), from_base64url(signature)
    if raw_key is None or raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw_key).verify(raw, text)
    except (InvalidSignature, ValueError):
        return False
    return True
