"""Checking one signature with one key. The algorithm and the key have to fit."""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

# IANA COSE algorithms; a health card's `alg` has the same name.
ES256: Final = -7
PS256: Final = -37
NAMES: Final = {ES256: "ES256", PS256: "PS256"}
_HALF_BYTES: Final = 32
_RSA_BITS: Final = range(2048, 4097)


def holds(spki: bytes, algorithm: int, signature: bytes, signed: bytes) -> bool:
    """Whether the key signed this. ES256: P-256 and r‖s of 64 bytes, never DER; PS256: RSA of 2,048 to 4,096
    bits, MGF1 with SHA-256, salt of 32 bytes (RFC 8230). Everything else does not hold."""
    key = _key(spki)
    try:
        if algorithm == ES256 and isinstance(key, ec.EllipticCurvePublicKey):
            return _ecdsa(key, signature, signed)
        if algorithm == PS256 and isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
            key.verify(signature, signed, _PSS, SHA256())
            return True
    except InvalidSignature:
        return False
    return False


def _ecdsa(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    if not isinstance(key.curve, ec.SECP256R1) or len(signature) != 2 * _HALF_BYTES:
        return False
    r, s = (int.from_bytes(half) for half in (signature[:_HALF_BYTES], signature[_HALF_BYTES:]))
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    return True


_PSS: Final = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)


@lru_cache(maxsize=512)
def _key(spki: bytes) -> object:
    """None: a key of a kind that nobody here reads."""
    try:
        return load_der_public_key(spki)
    except Exception:  # cryptography raises many kinds; such a key signs nothing
        return None
