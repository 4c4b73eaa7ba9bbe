"""What happens to certificates when their doses change: replaced or revoked, renewed before they end.

A certificate says what the book said when it was made. Where the book says something else now it is revoked,
and another one is made where the dose allows it; where only an answer is awaited (an objection, a system that
is away), it stands until then.
"""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, Literal
from uuid import UUID

from identity.merges.aliases import book_to_tell
from identity.models import Demographics
from identity.people import demographics
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from vaccination.certificates import queries
from vaccination.certificates.claims import expiry, facts_sha256
from vaccination.certificates.eligibility import why_no_certificate
from vaccination.certificates.ending import give_up, revoke_row
from vaccination.certificates.evidence import Judged, judged_dose
from vaccination.certificates.issuing import (
    RENEW_BEFORE,
    ToSign,
    have_signed,
    standing_facts,
    start,
    weigh,
)
from vaccination.certificates.models import CertificateRow, EndReason, Facts, Owned, Reason
from vaccination.certificates.names import latin_name
from vaccination.signer.keys import current_signer, revoked_signers

AGAIN: Final = timedelta(days=1)

Renewal = ToSign | Literal["none", "later"]


async def follow(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> int:
    """Bring the certificates of one person's doses in line with the book and with the keys that count; how
    many ended. The person is told once, whatever their number."""
    rows = sorted(await queries.LIVE.all(tx, patient_id, now), key=lambda row: row.dose_id)
    ended: list[CertificateRow] = []
    lost = await revoked_signers(tx) if rows else set()
    for dose_id, of_dose in groupby(rows, key=lambda row: row.dose_id):
        owned = Owned(patient_id=patient_id, dose_id=dose_id)
        ended += await _follow_dose(tx, keys, owned, list(of_dose), lost, now)
    if ended:
        ref = {"certificate_id": str(ended[-1].certificate_id)}
        told = await book_to_tell(tx, patient_id, now)
        await emit(tx, told, "vaccination.certificate-corrected", ref, now)
    return len(ended)


async def _follow_dose(
    tx: Tx, keys: KeyRing, owned: Owned, rows: list[CertificateRow], lost: set[str], now: datetime
) -> list[CertificateRow]:
    """Those that ended. A renewed one ends too: it says the same and would be accepted to its end. lost: the
    keys that count no more."""
    book, judged = await judged_dose(tx, owned, now)
    facts = await standing_facts(tx, keys, book, judged, now)
    said = None if facts is None else facts_sha256(facts)
    ended = [row for row in rows if row.facts_sha256 != said or row.signer_id in lost]
    fresh = judged if facts is not None and judged and not _reasons(judged, now) else None
    # Several keys in the order of their kids: as everybody who revokes.
    for row in sorted(ended, key=lambda row: row.kid):
        if row.state == "signing":
            await give_up(tx, row, now)
        else:
            is_true = row.facts_sha256 == said
            reason: EndReason = "key-revoked" if is_true else "dose-changed" if judged else "dose-gone"
            await revoke_row(tx, keys, row, "replaced" if fresh else "revoked", reason, now)
    # A renewed one that stands is none to go on with.
    is_left = any(row.state != "renewed" for row in rows if row not in ended)
    if ended and fresh is not None and facts is not None and not is_left:
        made = await start(tx, keys, fresh, facts, now, replaces=ended[-1].certificate_id)
        if isinstance(made, ToSign):
            await have_signed(tx, made, now)
    return [row for row in ended if row.state != "signing"]


async def is_held(tx: Tx, patient_id: UUID, signers: set[str], now: datetime) -> bool:
    """Whether a person has a certificate of one of these keys that verifiers look at still."""
    return any(row.signer_id in signers for row in await queries.LIVE.all(tx, patient_id, now))


async def begin_renewal(
    tx: Tx, keys: KeyRing, patient_id: UUID, certificate_id: UUID, now: datetime
) -> Renewal:
    """A certificate that ends soon, or ended lately: what is to be signed in its place; `none` where nothing
    more is to be done of it; `later` where nothing can be made now, which its person is told once."""
    row = await queries.LOCK.one(tx, patient_id, certificate_id)
    if row is None or row.state != "valid" or row.expires_at + RENEW_BEFORE <= now:
        return "none"
    book, judged = await judged_dose(tx, Owned(patient_id=patient_id, dose_id=row.dose_id), now)
    signer = await current_signer(tx, "hc1", now)
    # A signer that ends as soon gives nothing that holds longer.
    if judged is not None and signer is not None and expiry(now, signer) > row.expires_at:
        known = await demographics(tx, keys, book) or Demographics()
        facts = weigh(judged, known, await latin_name(tx, keys, book), now)
        if isinstance(facts, Facts):
            made = await start(tx, keys, judged, facts, now, replaces=certificate_id)
            return "later" if isinstance(made, Refused) else made
    await tell_of_end(tx, patient_id, certificate_id, now)
    return "later"


async def tell_of_end(tx: Tx, patient_id: UUID, certificate_id: UUID, now: datetime) -> None:
    """That a certificate ends and there is none in its place; told once."""
    told = await book_to_tell(tx, patient_id, now)
    await emit(tx, told, "vaccination.certificate-ending", {"certificate_id": str(certificate_id)}, now)


async def begin_again(
    tx: Tx, keys: KeyRing, patient_id: UUID, certificate_id: UUID, now: datetime
) -> ToSign | None:
    """After a signature that did not come: another row in place of one that was given up, where its dose
    still allows it and has no other certificate by now."""
    row = await queries.CERTIFICATE.one(tx, patient_id, certificate_id)
    if row is None or row.state != "abandoned":
        return None
    others = await queries.OF_DOSE.all(tx, patient_id, row.dose_id)
    if any(other.state == "valid" and other.certificate_id != row.replaces for other in others):
        return None
    book, judged = await judged_dose(tx, Owned(patient_id=patient_id, dose_id=row.dose_id), now)
    if judged is None:
        return None
    known = await demographics(tx, keys, book) or Demographics()
    facts = weigh(judged, known, await latin_name(tx, keys, book), now)
    if not isinstance(facts, Facts):
        return None
    made = await start(tx, keys, judged, facts, now, replaces=row.replaces)
    return None if isinstance(made, Refused) else made


def _reasons(judged: Judged, now: datetime) -> tuple[Reason, ...]:
    return why_no_certificate(judged.dose, judged.evidence, now)
