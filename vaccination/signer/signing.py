"""One signature: the row, the bytes, the form, the budget, the log, then the key (security.md S28).

All but the last is one transaction. The signature is made after the commit: one that was given is always in
the log, and one that got lost on its way is spent.
"""

import hashlib
from datetime import datetime

from audit.chain import canonical, digest
from audit.policy import utc_text
from store.database import Tx
from vaccination.signer import queries
from vaccination.signer.models import Asked, DocumentSigner, SigningEntry
from vaccination.signer.ports import SHAPES, SignerError
from vaccination.signer.shapes import fits


async def allow(tx: Tx, asked: Asked, now: datetime) -> DocumentSigner:
    """Spend the issuance and write the log. Raises SignerError, and then nothing may be kept."""
    signer = await queries.SIGNER.one(tx, asked.key)
    if signer is None or not signer.signs_at(now):
        raise SignerError("unknown-key")
    if not fits(signer, asked.shape, asked.to_sign, now):
        raise SignerError("other-shape")
    sha256 = hashlib.sha256(asked.to_sign).digest()
    await _spend(tx, asked, signer, sha256, now)
    if await queries.CHARGE.one(tx, signer.key_id, now.date(), signer.daily_budget) is None:
        raise SignerError("over-budget")
    entry = canonical(
        SigningEntry(at=utc_text(now), issuance=asked.issuance, key=signer.key_id, sha256=sha256.hex())
    )
    if await queries.APPEND.one(tx, digest(entry), now, asked.issuance, entry.decode()) is None:
        raise SignerError("already-signed")
    return signer


async def _spend(tx: Tx, asked: Asked, signer: DocumentSigner, sha256: bytes, now: datetime) -> None:
    """Mark the row, where it is this one. Raises SignerError."""
    row = await queries.ISSUANCE.one(tx, asked.patient_id, asked.issuance)
    if row is None:
        raise SignerError("no-issuance")
    if (row.purpose, row.key_id) != (signer.purpose, signer.key_id) or SHAPES[row.purpose] != asked.shape:
        raise SignerError("other-shape")
    if row.to_sign_sha256 != sha256:
        raise SignerError("other-bytes")
    if row.closed_at is not None:
        raise SignerError("given-up")
    if await queries.MARK_SIGNED.one(tx, asked.patient_id, asked.issuance, now) is None:
        raise SignerError("already-signed")
