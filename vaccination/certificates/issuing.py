"""Issuing in two transactions with the signer between them (security.md S28).

begin     judge the dose, keep what is to be signed, open the row that the signer looks for
sign      outside: another process
complete  see that the dose says the same still, keep the text, let what it replaces end

The row stands before the dose is looked at for the second time: whatever corrects it from then on finds it.

Of many who ask for one dose at once, one makes it; the others get it, or are told to come back.
"""

import base64
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from identity.merges.aliases import book_to_tell
from identity.models import Demographics
from identity.people import demographics
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit
from vaccination.certificates import queries
from vaccination.certificates.claims import (
    ALGORITHMS,
    LatinName,
    expiry,
    facts_of,
    facts_sha256,
    payload,
    protected_of,
    signed_bytes,
)
from vaccination.certificates.eligibility import CONFIRMABLE, PASSING, why_no_certificate
from vaccination.certificates.ending import TABLE, give_up, number_hash, revoke_row
from vaccination.certificates.evidence import Judged, judged_dose, said_sha256
from vaccination.certificates.models import CertificateRow, Facts, Owned, Reason
from vaccination.certificates.names import latin_name
from vaccination.certificates.problems import CERTIFICATE_BEING_MADE, DOSE_NOT_ELIGIBLE
from vaccination.hc1.cose import pack, to_be_signed, unpack
from vaccination.hc1.uvci import new_uvci
from vaccination.signer.issuances import open_issuance
from vaccination.signer.keys import current_signer, document_signers
from vaccination.signer.models import DocumentSigner
from vaccination.signer.ports import Signer, SignerError
from vaccination.signer.problems import SIGNER_AWAY

# Longer than a signature takes. After it nobody waits for it: the row is given up and another one made.
SIGNING_LIFE: Final = timedelta(seconds=30)
SIGNER_AGAIN: Final = timedelta(minutes=1)
RENEW_BEFORE: Final = timedelta(days=30)
# Timers; their ref is person and certificate.
RENEWAL: Final = "certificate-renewal"
SIGNING: Final = "certificate-signing"


class ToSign(Struct, frozen=True, kw_only=True):
    """A certificate on its way through the signer."""

    patient_id: UUID
    certificate_id: UUID
    issuance_id: UUID
    signer_id: str
    data: bytes


def mark_of_timer(patient_id: UUID, certificate_id: UUID) -> str:
    return f"{patient_id}:{certificate_id}"


async def reasons_and_facts(
    tx: Tx, keys: KeyRing, book: UUID, judged: Judged, now: datetime
) -> Facts | tuple[Reason, ...]:
    """What a certificate of the dose would say, or why there is none."""
    known = await demographics(tx, keys, book) or Demographics()
    return weigh(judged, known, await latin_name(tx, keys, book), now)


def weigh(
    judged: Judged, known: Demographics, latin: LatinName | None, now: datetime
) -> Facts | tuple[Reason, ...]:
    """As `reasons_and_facts`. Pure."""
    reasons = why_no_certificate(judged.dose, judged.evidence, now)
    return reasons or facts_of(judged.dose, known, latin)


async def begin(
    tx: Tx, keys: KeyRing, book: UUID, judged: Judged, now: datetime
) -> CertificateRow | ToSign | Refused:
    """The certificate of a dose where it has one, else what is to be signed. Refused: dose-not-eligible,
    certificate-being-made, signer-away (there is no key). A late dose is put before its facility."""
    facts = await reasons_and_facts(tx, keys, book, judged, now)
    if isinstance(facts, tuple):
        if set(facts) <= CONFIRMABLE:
            await ask_facility(tx, judged, now)
        return Refused(problem=DOSE_NOT_ELIGIBLE)
    owned, outdated = judged.owned, []
    for row in await queries.OF_DOSE.all(tx, owned.patient_id, owned.dose_id):
        is_same = row.facts_sha256 == facts_sha256(facts)
        if row.state == "valid" and row.expires_at > now and is_same:
            return row
        if row.state != "signing" and not is_same:
            outdated.append(row)
    replaces = outdated[-1].certificate_id if outdated else None
    made = await start(tx, keys, judged, facts, now, replaces=replaces)
    # Where none is begun, what the book does not say any more is left to whoever follows it.
    if isinstance(made, ToSign) and outdated:
        await _replace(tx, keys, outdated, made, now)
    return made


async def _replace(tx: Tx, keys: KeyRing, outdated: list[CertificateRow], by: ToSign, now: datetime) -> None:
    """As following does: the person is told, and the worker sees that the other one is made."""
    for row in sorted(outdated, key=lambda one: one.kid):
        await revoke_row(tx, keys, row, "replaced", "dose-changed", now)
    await have_signed(tx, by, now + SIGNER_AGAIN)
    ref = {"certificate_id": str(outdated[-1].certificate_id)}
    told = await book_to_tell(tx, by.patient_id, now)
    await emit(tx, told, "vaccination.certificate-corrected", ref, now)


async def have_signed(tx: Tx, one: ToSign, due_at: datetime) -> None:
    """Leave the signature to the worker."""
    ref = mark_of_timer(one.patient_id, one.certificate_id)
    await schedule(tx, bucket_of(one.patient_id), due_at, SIGNING, ref)


async def start(
    tx: Tx, keys: KeyRing, judged: Judged, facts: Facts, now: datetime, *, replaces: UUID | None
) -> ToSign | Refused:
    """Keep what is to be signed. Refused: signer-away, certificate-being-made."""
    for row in await queries.OF_DOSE.all(tx, judged.owned.patient_id, judged.owned.dose_id):
        if row.state == "signing" and now - row.begun_at < SIGNING_LIFE:
            return Refused(problem=CERTIFICATE_BEING_MADE, retry_after_seconds=2)
        if row.state == "signing":
            await give_up(tx, row, now)
    signer = await current_signer(tx, "hc1", now)
    if signer is None:
        return Refused(problem=SIGNER_AWAY)
    owned, certificate_id = judged.owned, uuid7(now)
    issued_at, expires_at, uvci = now.replace(microsecond=0), expiry(now, signer), new_uvci(signer.country)
    body = payload(facts, signer.country, uvci, issued_at, expires_at)
    data = signed_bytes(signer, body)
    issuance_id = await open_issuance(tx, owned.patient_id, signer, data, now)
    made = await queries.BEGIN.one(
        tx,
        owned.patient_id,
        certificate_id,
        owned.dose_id,
        issuance_id,
        signer.key_id,
        signer.kid_text,
        ALGORITHMS[signer.alg],
        seal(keys, owned.patient_id, TABLE, "content", base64.b64encode(body).decode()),
        facts_sha256(facts),
        now,
        expires_at,
        replaces,
    )
    if made is None:
        return Refused(problem=CERTIFICATE_BEING_MADE, retry_after_seconds=2)
    await queries.KEEP_NUMBER.run(tx, number_hash(uvci), owned.patient_id, certificate_id)
    return ToSign(
        patient_id=owned.patient_id,
        certificate_id=certificate_id,
        issuance_id=issuance_id,
        signer_id=signer.key_id,
        data=data,
    )


async def waiting(tx: Tx, keys: KeyRing, patient_id: UUID, certificate_id: UUID) -> ToSign | None:
    """A certificate that waits for its signature."""
    row = await queries.CERTIFICATE.one(tx, patient_id, certificate_id)
    if row is None or row.state != "signing":
        return None
    signer = await _signer_of(tx, row)
    return ToSign(
        patient_id=patient_id,
        certificate_id=certificate_id,
        issuance_id=row.issuance_id,
        signer_id=row.signer_id,
        data=signed_bytes(signer, _body(keys, row)),
    )


async def sign(signer: Signer | None, one: ToSign) -> bytes | Refused:
    """Ask the signer. No transaction is open. Refused: signer-away; the row is given up by whoever asked."""
    if signer is None:
        return Refused(problem=SIGNER_AWAY)
    try:
        return await signer.sign(one.issuance_id, one.patient_id, one.signer_id, "cose", one.data)
    except SignerError:
        return Refused(problem=SIGNER_AWAY)


async def complete(
    tx: Tx, keys: KeyRing, one: ToSign, signature: bytes | Refused, now: datetime
) -> CertificateRow | Refused:
    """Keep the signed text and arm its renewal; without a signature give the row up.

    What it renews holds to its own end. Refused: what the signer said, or certificate-being-made where
    another one took this one's place meanwhile, or its dose changed, so that it is to be begun anew.
    """
    again = Refused(problem=CERTIFICATE_BEING_MADE, retry_after_seconds=2)
    row = await queries.LOCK.one(tx, one.patient_id, one.certificate_id)
    if row is None or row.state != "signing":
        return again
    if isinstance(signature, Refused) or not await _is_true_still(tx, keys, row, now):
        await give_up(tx, row, now)
        return signature if isinstance(signature, Refused) else again
    text = pack(protected_of(await _signer_of(tx, row)), _body(keys, row), signature)
    _check(text, one)
    for other in await queries.OF_DOSE.all(tx, row.patient_id, row.dose_id):
        if other.state == "valid":
            await queries.END.run(
                tx, other.patient_id, other.certificate_id, "renewed", now, None, row.certificate_id
            )
    sealed = seal(keys, row.patient_id, TABLE, "content", text)
    await queries.COMPLETE.run(tx, row.patient_id, row.certificate_id, sealed, now)
    if row.replaces is not None:
        await queries.REPLACED_BY.run(tx, row.patient_id, row.replaces, row.certificate_id)
    due_at, ref = row.expires_at - RENEW_BEFORE, mark_of_timer(row.patient_id, row.certificate_id)
    await schedule(tx, bucket_of(row.patient_id), max(due_at, now), RENEWAL, ref)
    kept = await queries.CERTIFICATE.one(tx, row.patient_id, row.certificate_id)
    assert kept is not None, "it was locked"
    return kept


async def standing_facts(
    tx: Tx, keys: KeyRing, book: UUID, judged: Judged | None, now: datetime
) -> Facts | None:
    """What a certificate of the dose may go on saying; None where it is no ground for one any more."""
    if judged is None or set(why_no_certificate(judged.dose, judged.evidence, now)) - PASSING:
        return None
    known = await demographics(tx, keys, book) or Demographics()
    facts = facts_of(judged.dose, known, await latin_name(tx, keys, book))
    return facts if isinstance(facts, Facts) else None


async def _is_true_still(tx: Tx, keys: KeyRing, row: CertificateRow, now: datetime) -> bool:
    owned = Owned(patient_id=row.patient_id, dose_id=row.dose_id)
    facts = await standing_facts(tx, keys, *await judged_dose(tx, owned, now), now)
    return facts is not None and facts_sha256(facts) == row.facts_sha256


def _check(text: str, one: ToSign) -> None:
    """What we hand out opens to the bytes that were signed (vaccination.md §4)."""
    parsed = unpack(text)
    assert to_be_signed(parsed.protected, parsed.payload) == one.data


def _body(keys: KeyRing, row: CertificateRow) -> bytes:
    return base64.b64decode(unseal(keys, row.patient_id, TABLE, "content", row.content))


async def _signer_of(tx: Tx, row: CertificateRow) -> DocumentSigner:
    return next(one for one in await document_signers(tx, "hc1") if one.key_id == row.signer_id)


async def ask_facility(tx: Tx, judged: Judged, now: datetime) -> None:
    """Put a dose before a second account of its facility; once for what it says now."""
    assert judged.dose.facility_id is not None, "the dose was judged"
    owned, said = judged.owned, said_sha256(judged.dose)
    await queries.ASK.run(tx, judged.dose.facility_id, uuid7(now), owned.patient_id, owned.dose_id, said, now)
