"""Trust lists in use: pinning one, loading one, and whose key a certificate names."""

from collections import Counter
from datetime import datetime
from hashlib import sha256
from typing import Literal

from store.database import Tx
from vaccination.signer.keys import document_signers
from vaccination.signer.models import DocumentSigner
from vaccination.trust import queries
from vaccination.trust.certificates import as_its_demo_takes, read_certificate
from vaccination.trust.models import Change, Form, KeyState, TrustedKey, TrustList
from vaccination.trust.policy import Refusal, change_by, fresh_until
from vaccination.trust.readers import read_list
from vaccination.trust.seal import read_seal, voucher

OWN = "own"


async def keys_of_kid(tx: Tx, kid: str, card_issuer: str) -> list[TrustedKey]:
    """Every key with that kid: of our own signers and of every list. card_issuer: our address as an issuer of
    health cards, for which no list of others speaks."""
    own = [_own_key(one, card_issuer) for one in await document_signers(tx) if one.kid_text == kid]
    listed = [queries.key_of(row) for row in await queries.OF_KID.all(tx, kid)]
    return [*own, *(key for key in listed if key.purpose != "shc" or key.issuer != card_issuer)]


async def lists(tx: Tx) -> list[TrustList]:
    return await queries.LISTS.all(tx)


async def states_of(tx: Tx, name: str) -> Counter[KeyState]:
    """How many keys of a list there are in each state."""
    return Counter(row.state for row in await queries.OF_LIST.all(tx, name))


async def pin(tx: Tx, name: str, form: Form, issuer: str | None, signer: bytes, max_age_days: int) -> None:
    """Say whose signature a list needs. What was loaded under another signer counts no longer."""
    before = await queries.LOCKED_LIST.one(tx, name)
    await queries.PIN.run(tx, name, form, issuer, signer, max_age_days)
    if before is not None and (before.form, before.issuer, before.signer) != (form, issuer, signer):
        await queries.unload(tx, name)


async def load(
    tx: Tx, name: str, data: bytes, seal: bytes | None, now: datetime, *, has_second: bool
) -> Change | Refusal | Literal["unknown-list", "needs-second"]:
    """Take a list, or say why not; what is refused changes nothing, and the last good list stays. Raises
    ListError for what is no list."""
    pinned = await queries.LOCKED_LIST.one(tx, name)
    if pinned is None:
        return "unknown-list"
    listed = read_list(data, pinned.issuer)
    read = None if seal is None else read_seal(seal)
    # A seal that cannot be read is none that vouches.
    vouched = None if seal is not None and read is None else voucher(pinned, data, listed, read)
    rows = await queries.OF_LIST.all(tx, name)
    current = [queries.key_of(row) for row in rows if row.state != "terminated"]
    change = change_by(pinned, current, listed, vouched, now)
    if not isinstance(change, Change):
        return change
    if change.needs_second and not has_second:
        return "needs-second"
    await _apply(tx, pinned, listed.keys, change, sha256(data).digest(), now)
    return change


async def revoke_key(tx: Tx, name: str, kid: str) -> bool:
    """An operator's word against a key of a list, until it is taken off: no later list brings it back."""
    return await queries.REVOKE.one(tx, kid, name) is not None


async def _apply(
    tx: Tx, pinned: TrustList, keys: tuple[TrustedKey, ...], change: Change, digest: bytes, now: datetime
) -> None:
    await queries.upsert(tx, pinned.name, keys)
    gone = ((key.kid, pinned.name, queries.digest_of(key.spki)) for key in change.removed)
    await queries.TERMINATE.many(tx, gone)
    until = fresh_until(pinned, change.issued_at)
    await queries.LOADED.run(tx, pinned.name, change.version, digest, change.issued_at, now, until)


def _own_key(signer: DocumentSigner, card_issuer: str) -> TrustedKey:
    """Ours are of no list and of no age. A retired key signs no more; what it signed still stands, unless the
    key was revoked. A demo's key is ours in a demo alone: no other installation enrols one."""
    read = read_certificate(signer.certificate)
    own = TrustedKey(
        kid=signer.kid_text,
        purpose=signer.purpose,
        spki=read.spki,
        country=read.country,
        issuer=card_issuer if signer.purpose == "shc" else None,
        uses=read.uses,
        not_before=signer.not_before,
        not_after=signer.not_after,
        state="active" if signer.revoked_at is None else "revoked",
        source=OWN,
    )
    return as_its_demo_takes(own)
