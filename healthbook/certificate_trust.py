"""What `healthbook certificates trust` does."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from healthbook.commands import Signed, sign_act
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.database import Store
from vaccination.trust import service
from vaccination.trust.models import Change, Form
from vaccination.trust.readers import ListError
from vaccination.trust.seal import make_seal

_REFUSED: Final = {
    "unknown-list": "no list of this name is pinned",
    "other-form": "not the form that is pinned",
    "not-signed": "not signed by the pinned signer, in itself or by a seal",
    "not-newer": "not newer than the list that counts",
    "from-the-future": "made in the future",
    "stale": "too old to count",
    "no-country": "a key of no country",
    "needs-second": "more than a tenth changes, or keys of our own country: --with a second operator",
}


def signer_key(pem: bytes) -> bytes | None:
    """The public key (SPKI, DER) of a certificate or of a key; None for one that signs no lists."""
    try:
        key = (
            x509.load_pem_x509_certificate(pem).public_key()
            if b"CERTIFICATE" in pem
            else load_pem_public_key(pem)
        )
    except ValueError:
        return None
    is_one = isinstance(key, rsa.RSAPublicKey) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    )
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) if is_one else None


def sealed(name: str, data: bytes, pem: bytes, version: int, now: datetime) -> bytes | None:
    """The seal as JSON; None for a key that signs no lists."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        return None
    sign = _signing(key)
    return None if sign is None else msgspec.json.encode(make_seal(name, data, version, now, sign))


async def pin_list(
    store: Store, name: str, form: Form, issuer: str | None, key: bytes, max_age: int, signed: Signed
) -> None:
    async with store.transaction() as tx:
        await service.pin(tx, name, form, issuer, key, max_age)
        await sign_act(tx, signed, "certificates:trust-pin", 1)


async def load_list(
    store: Store, name: str, data: bytes, seal: bytes | None, signed: Signed, *, has_second: bool
) -> str:
    """What changed, in a line. Raises StartError with the reason where the list is refused."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        try:
            change = await service.load(tx, name, data, seal, now, has_second=has_second)
        except ListError as error:
            raise StartError(f"{name}: {error}. The last good list stays.") from error
        if not isinstance(change, Change):
            raise StartError(f"{name}: {_REFUSED[change]}. The last good list stays.")
        added, removed = len(change.added), len(change.removed)
        await sign_act(tx, signed, "certificates:trust-load", added + removed)
    return f"{name}: version {change.version}, {added} keys added or changed, {removed} gone"


async def revoke_listed_key(store: Store, name: str, kid: str, signed: Signed) -> None:
    async with store.transaction() as tx:
        if not await service.revoke_key(tx, name, kid):
            raise StartError(f"{name}: no key {kid}.")
        await sign_act(tx, signed, "certificates:trust-revoke-key", 1)


async def shown_lists(store: Store) -> str:
    async with store.transaction() as tx:
        listed = [(one, await service.states_of(tx, one.name)) for one in await service.lists(tx)]
    rows = (
        f"{one.name}  {one.form}  version {one.version}  "
        f"{'never loaded' if one.fresh_until is None else f'counts until {one.fresh_until:%Y-%m-%d}'}"
        f"  keys: {', '.join(f'{count} {state}' for state, count in sorted(states.items())) or 'none'}"
        for one, states in listed
    )
    return "\n".join(rows) or "no list is pinned"


def _signing(key: object) -> Callable[[bytes], bytes] | None:
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
        return lambda data: key.sign(data, pss, SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return lambda data: _raw(key.sign(data, ec.ECDSA(SHA256())))
    return None


def _raw(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + s.to_bytes(32)
