"""Asking for a signature: the row that the signer looks for (security.md S28)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.ids import uuid7
from store.database import Tx
from vaccination.signer import queries
from vaccination.signer.models import DocumentSigner


async def open_issuance(
    tx: Tx, patient_id: UUID, signer: DocumentSigner, to_sign: bytes, now: datetime
) -> UUID:
    """The right to one signature over these bytes by this key; commit it before the signer is asked."""
    issuance = uuid7(now)
    digest = hashlib.sha256(to_sign).digest()
    await queries.INSERT_ISSUANCE.run(tx, patient_id, issuance, signer.purpose, signer.key_id, digest, now)
    return issuance


async def close_issuances(tx: Tx, patient_id: UUID, issuances: Sequence[UUID], now: datetime) -> None:
    """Give up signatures that did not come: nobody would keep one, so none is given any more."""
    await queries.CLOSE.run(tx, patient_id, issuances, now)
