"""The signers of this installation: which key signs what, until when, and with which certificate."""

from datetime import datetime

from store.database import Tx
from vaccination.signer import queries
from vaccination.signer.models import Algorithm, DocumentSigner
from vaccination.signer.ports import SignerPurpose


async def document_signers(tx: Tx, purpose: SignerPurpose | None = None) -> list[DocumentSigner]:
    """Every key that ever signed, the retired and revoked ones too: what they signed is still about."""
    return [one for one in await queries.SIGNERS.all(tx) if purpose in (None, one.purpose)]


async def standing_signers(tx: Tx, purpose: SignerPurpose) -> list[DocumentSigner]:
    """Those whose signatures count: what we publish."""
    return [one for one in await document_signers(tx, purpose) if one.revoked_at is None]


async def revoked_signers(tx: Tx) -> set[str]:
    """The ids of keys whose signatures count no more."""
    return {one.key_id for one in await document_signers(tx) if one.revoked_at is not None}


async def current_signer(
    tx: Tx, purpose: SignerPurpose, now: datetime, alg: Algorithm = "ES256"
) -> DocumentSigner | None:
    """The key to sign with now: of that algorithm where there is one, and the one that holds longest. None
    where this installation has no key for it."""
    held = [one for one in await document_signers(tx, purpose) if one.signs_at(now)]
    return max(held, key=lambda one: (one.alg == alg, one.not_after, one.added_at), default=None)
