"""Reviewing broken glass: by a privacy officer outside the unit who signed nothing of it, within 72 hours.

An upheld dispute or misuse suspends the right to break the glass, and nothing else. A tenth of the reviews,
by their id, is read again by another facility; without one it stands on the health department's list at once.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_act
from audit.uses.service import Uses, uses_of
from consent.emergency import queries as emergencies
from consent.emergency.models import Emergency, Overdue, Review, Verdict
from consent.emergency.policy import REVIEW_WITHIN, is_read_again, is_upheld, second_facility
from consent.emergency.problems import REVIEW_REFUSED, UNKNOWN_EMERGENCY
from consent.emergency_reviews import queries
from consent.queries import lock_guard
from identity.units import service as units
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing
from store.outbox import emit

NO_FACILITY: Final = UUID(int=0)
PAGE_MAX: Final = 100
_TAGS: Final[dict[Verdict, str]] = {
    "justified": "consent:emergency:justified",
    "not-justified": "consent:emergency:not-justified",
    "misuse": "consent:emergency:misuse",
}


class Case(Struct, frozen=True, kw_only=True):
    """What a reviewer sees: the grounds, who signed, and how much was read; never the record."""

    review: Review
    emergency: Emergency
    reason_text: str
    dispute_text: str | None
    uses: Uses


def first_review(made: Emergency, due_at: datetime) -> Review:
    """The review of an opening, at its own facility."""
    return Review(
        facility_id=made.facility_id,
        emergency_id=made.emergency_id,
        kind="first",
        patient_id=made.patient_id,
        practitioner_id=made.practitioner_id,
        practitioner_name=made.practitioner_name,
        unit_id=made.unit_id,
        unit_name=made.unit_name,
        opened_at=made.opened_at,
        ends_at=made.ends_at,
        needs_cosign=made.needs_cosign,
        due_at=due_at,
        disputed_at=None,
        closed_at=None,
        verdict=None,
    )


async def waiting(
    tx: Tx, actor: Actor, after: tuple[datetime, UUID], limit: int
) -> tuple[list[Review], Review | None]:
    """A page of what waits at the reviewer's facility, due first, without what this reviewer may not close;
    and the last one looked at, where there are more."""
    if actor.facility_id is None:
        return [], None
    size = min(limit, PAGE_MAX)
    found = await queries.open_reviews(tx, actor.facility_id, after, size + 1)
    shown = [review for review in found[:size] if not await _is_barred(tx, actor, review)]
    return shown, found[size - 1] if len(found) > size else None


async def open_case(
    tx: Tx, keys: KeyRing, actor: Actor, emergency_id: UUID, *, trace_id: str, now: datetime
) -> Case | Refused:
    """Look into one; the person reads in the log who did.

    Refused: emergency-access-unknown, review-refused.
    """
    review = await _reviewable(tx, actor, emergency_id)
    if isinstance(review, Refused):
        return review
    patient_id = review.patient_id
    emergency = await emergencies.by_id(tx, patient_id, emergency_id)
    sealed = await emergencies.reason_text(tx, patient_id, emergency_id)
    assert emergency is not None
    assert sealed is not None
    said = await emergencies.dispute_text(tx, patient_id, emergency_id)
    uses = await uses_of(tx, patient_id, emergency_id, emergency.opened_at, now)
    await _log(tx, actor, review, "consent:emergency:review", trace_id, now)
    return Case(
        review=review,
        emergency=emergency,
        reason_text=unseal(keys, patient_id, "emergency_access", "reason_text", sealed),
        dispute_text=unseal(keys, patient_id, "emergency_access", "dispute_text", said) if said else None,
        uses=uses,
    )


async def give_verdict(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    emergency_id: UUID,
    verdict: Verdict,
    note: str,
    *,
    trace_id: str,
    now: datetime,
) -> Review | Refused:
    """Close a review, once.

    Refused: emergency-access-unknown, also for one that is closed; review-refused.
    """
    review = await _reviewable(tx, actor, emergency_id)
    if isinstance(review, Refused):
        return review
    await lock_guard(tx, review.patient_id)
    sealed = seal(keys, review.patient_id, "emergency_review", "note", note)
    if not await queries.close_review(
        tx, review.facility_id, emergency_id, now, verdict, actor.actor_id, sealed
    ):
        return Refused(problem=UNKNOWN_EMERGENCY)
    await emergencies.set_verdict(tx, review.patient_id, emergency_id, verdict, now)
    # The opening knows of a dispute; a second reading that was passed on before it does not.
    opening = await emergencies.by_id(tx, review.patient_id, emergency_id)
    if is_upheld(verdict, disputed=opening is not None and opening.disputed_at is not None):
        await units.suspend(tx, review.practitioner_id, now)
    if review.kind == "first" and is_read_again(emergency_id):
        await _pass_on(tx, review, now)
    await _log(tx, actor, review, _TAGS[verdict], trace_id, now)
    ref = {"emergency_id": str(emergency_id)}
    await emit(tx, review.patient_id, "consent.emergency-reviewed", ref, now)
    return replace(review, closed_at=now, verdict=verdict)


async def overdue(tx: Tx, after: tuple[datetime, UUID], limit: int, now: datetime) -> list[Overdue]:
    """Reviews whose 72 hours are over, for the health department."""
    return await queries.overdue(tx, now, after, min(limit, PAGE_MAX + 1))


async def _pass_on(tx: Tx, review: Review, now: datetime) -> None:
    facilities = await units.reviewing_facilities(tx, now)
    other = second_facility(review.emergency_id, facilities, review.facility_id)
    second = replace(
        review,
        facility_id=other or NO_FACILITY,
        kind="second",
        due_at=now + REVIEW_WITHIN if other else now,
    )
    await queries.insert_review(tx, second)


async def _reviewable(tx: Tx, actor: Actor, emergency_id: UUID) -> Review | Refused:
    review = None
    if actor.facility_id is not None:
        review = await queries.review_by_id(tx, actor.facility_id, emergency_id)
    if review is None or review.closed_at is not None:
        return Refused(problem=UNKNOWN_EMERGENCY)
    if await _is_barred(tx, actor, review):
        return Refused(problem=REVIEW_REFUSED)
    return review


async def _is_barred(tx: Tx, actor: Actor, review: Review) -> bool:
    """Who opened or signed it, who works in the unit in whatever role, and who judged it before it was
    disputed does not judge it."""
    signers = await emergencies.signers(tx, review.patient_id, review.emergency_id)
    assert signers is not None
    hands = (signers.practitioner_id, signers.cosigned_by, signers.extended_by, signers.labels_by)
    if actor.actor_id in (*hands, review.closed_before_by):
        return True
    return await units.has_worked_in(tx, review.unit_id, actor.actor_id, review.opened_at)


async def _log(tx: Tx, actor: Actor, review: Review, tag: str, trace_id: str, now: datetime) -> None:
    await record_act(
        tx,
        review.patient_id,
        actor,
        tag,
        grant_id=review.emergency_id,
        request_id=trace_id,
        now=now,
    )
