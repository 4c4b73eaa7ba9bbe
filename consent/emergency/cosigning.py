"""A second clinician signs: one-time password and session of his own (security.md S24)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act
from consent.emergency import queries
from consent.emergency.models import CosignAct, Emergency, Review
from consent.emergency.policy import PURPOSE
from consent.emergency.problems import COSIGN_REFUSED, NOTHING_TO_COSIGN, UNKNOWN_EMERGENCY
from consent.emergency_reviews import queries as reviews
from consent.queries import lock_guard
from identity.staff import show_totp
from identity.units import service as units
from kernel.access import Actor, Label
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

CLINICIANS: Final = frozenset({"doctor", "nurse"})
LISTED_MAX: Final = 100
_TAGS: Final[dict[CosignAct, str]] = {
    "open": "consent:emergency:co-sign-open",
    "extend": "consent:emergency:co-sign-extend",
    "labels": "consent:emergency:co-sign-labels",
}


async def co_sign(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    emergency_id: UUID,
    act: CosignAct,
    labels: Label,
    totp: str,
    *,
    trace_id: str,
    now: datetime,
) -> Emergency | Refused:
    """Sign one act of an opening at one's own facility: let a third one open, extend it once to 24 hours
    after its opening, or show these sensitive labels.

    Refused: emergency-access-unknown, co-sign-refused, one-time-password-refused, too-many,
    nothing-to-co-sign. The password is used up before anything is looked at twice.
    """
    review = (
        None if actor.facility_id is None else await reviews.review_by_id(tx, actor.facility_id, emergency_id)
    )
    if review is None or review.kind != "first":
        return Refused(problem=UNKNOWN_EMERGENCY)
    if await _is_barred(tx, actor, review):
        return Refused(problem=COSIGN_REFUSED)
    refused = await show_totp(tx, keys, actor, totp, now)
    if refused is not None:
        return refused
    await lock_guard(tx, review.patient_id)
    ends_at = await _sign(tx, actor, review, act, labels, now)
    if ends_at is None:
        return Refused(problem=NOTHING_TO_COSIGN)
    await reviews.note_cosigned(tx, review.facility_id, emergency_id, opened=act == "open", ends_at=ends_at)
    signed = await queries.by_id(tx, review.patient_id, emergency_id)
    assert signed is not None
    await _log(tx, actor, signed, act, trace_id, now)
    return signed


async def _is_barred(tx: Tx, actor: Actor, review: Review) -> bool:
    """Whoever opened it signs nothing of it, nor who may break no glass, nor who is no clinician."""
    if actor.role not in CLINICIANS or actor.licence is None:
        return True
    return actor.actor_id == review.practitioner_id or await units.is_suspended(tx, actor.actor_id)


async def _sign(
    tx: Tx, actor: Actor, review: Review, act: CosignAct, labels: Label, now: datetime
) -> datetime | None:
    patient_id, emergency_id, signer = review.patient_id, review.emergency_id, actor.actor_id
    if act == "open":
        return await queries.cosign_open(tx, patient_id, emergency_id, signer, now)
    if act == "extend":
        return await queries.cosign_extend(tx, patient_id, emergency_id, signer, now)
    return await queries.cosign_labels(tx, patient_id, emergency_id, signer, now, int(labels))


async def _log(tx: Tx, actor: Actor, signed: Emergency, act: CosignAct, trace_id: str, now: datetime) -> None:
    """Each act is a row of its own, the showing of labels too; the person is told unless a flag defers it."""
    await record_act(
        tx,
        signed.patient_id,
        actor,
        _TAGS[act],
        purpose=PURPOSE,
        grant_id=signed.emergency_id,
        grant_version=signed.version,
        request_id=trace_id,
        now=now,
    )
    if signed.told_from <= now:
        ref = {"emergency_id": str(signed.emergency_id), "act": act}
        await emit(tx, signed.patient_id, "consent.emergency-signed", ref, now)


async def running_at(tx: Tx, actor: Actor, now: datetime) -> list[Review]:
    """What runs at one's own facility or waits for a second clinician, the oldest first; at most 100."""
    if actor.facility_id is None:
        return []
    return await reviews.running_at(tx, actor.facility_id, now, LISTED_MAX)
