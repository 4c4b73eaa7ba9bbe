"""Taking a certified key into use, and out of it: acts of operators, on the owner's connection."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from store.database import Tx
from store.installation import is_demo
from vaccination.signer import queries
from vaccination.signer.authority import SIGNER_USED, check_certificate
from vaccination.signer.key_files import algorithm_of, kid_of, purpose_of
from vaccination.signer.models import DocumentSigner


async def enrol(
    tx: Tx,
    key_id: str,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    daily_budget: int,
    now: datetime,
) -> DocumentSigner:
    """From now on documents are signed with this key. A demo takes its own kind alone, which nobody else does
    (security.md S4). Raises CertificateError and KeyFileError."""
    demo = await is_demo(tx) is True
    signer = read_signer(key_id, certificate, authority, daily_budget, now, demo=demo)
    await queries.INSERT_SIGNER.run(
        tx,
        signer.key_id,
        signer.purpose,
        signer.alg,
        signer.kid,
        signer.certificate,
        signer.authority,
        signer.not_before,
        signer.not_after,
        signer.sign_until,
        signer.daily_budget,
        signer.added_at,
    )
    return signer


def read_signer(
    key_id: str,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    daily_budget: int,
    now: datetime,
    *,
    demo: bool = False,
) -> DocumentSigner:
    """What a certificate makes of a key. Raises CertificateError and KeyFileError."""
    purpose = purpose_of(key_id)
    public = check_certificate(certificate, purpose, authority, demo=demo)
    since = certificate.not_valid_before_utc
    return DocumentSigner(
        key_id=key_id,
        purpose=purpose,
        alg=algorithm_of(public),
        kid=kid_of(purpose, certificate),
        certificate=certificate.public_bytes(Encoding.DER),
        authority=authority.public_bytes(Encoding.DER),
        not_before=since,
        not_after=certificate.not_valid_after_utc,
        sign_until=min(since + SIGNER_USED, certificate.not_valid_after_utc),
        daily_budget=daily_budget,
        added_at=now,
        retired_at=None,
    )


async def retire(tx: Tx, key_id: str, now: datetime) -> bool:
    """Sign nothing more with this key; what it signed stays valid. False where there is none in use."""
    return await queries.RETIRE_SIGNER.one(tx, key_id, now) is not None


async def revoke(tx: Tx, key_id: str, now: datetime) -> bool:
    """Nothing that this key signed counts any more, and it signs nothing more. False where there is none, or
    that was said before."""
    return await queries.REVOKE_SIGNER.one(tx, key_id, now) is not None


async def set_budget(tx: Tx, key_id: str, daily_budget: int) -> bool:
    """How many signatures a day. False where there is no such key."""
    return await queries.SET_BUDGET.one(tx, key_id, daily_budget) is not None
