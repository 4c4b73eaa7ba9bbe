"""Breaking the glass: who may, on what grounds, and what is written down with it (security.md S24)."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.blocks.queries import blocked_among
from consent.emergency import arrivals, queries
from consent.emergency.models import Emergency, Reason, SafetyFlag
from consent.emergency.policy import (
    ALONE_MAX,
    ARRIVAL_AFTER,
    ARRIVED_WITHIN,
    AT_MOST,
    COUNTED_OVER,
    NOTICE_DEFERRED_MAX,
    OPEN_FOR,
    PROOF_LIFE,
    PURPOSE,
    REVIEW_WITHIN,
    is_attested,
    is_reasoned,
)
from consent.emergency.problems import (
    EMERGENCY_REASON,
    EMERGENCY_RUNNING,
    EMERGENCY_SUSPENDED,
    NO_EMERGENCY_ARRIVAL,
    NO_EMERGENCY_UNIT,
    PROVE_AGAIN,
    REFUSED_BY_PERSON,
    UNKNOWN_EMERGENCY,
)
from consent.emergency_reviews import queries as reviews
from consent.emergency_reviews.service import first_review
from consent.problems import ACCESS_REQUEST_INVALID
from consent.queries import lock_guard
from identity import budgets
from identity.entry.locks import lock_account
from identity.identifiers import normal_identifier
from identity.people import person_card, resolve_subject
from identity.units import service as units
from identity.units.models import Duty
from kernel.access import Actor
from kernel.ids import bucket_of, uuid7, uuid8
from kernel.problems import Refused, refuse
from store.database import Tx
from store.due_queue import schedule
from store.fields import lookup_hashes, seal
from store.keys import KeyRing
from store.outbox import emit
from visits.arrivals import emergency_arrival
from visits.identification import read_code

# The timers of the queue: an arrival that must have come, and a notice that was deferred.
ARRIVAL_DUE: Final = "emergency-arrival"
NOTICE_DUE: Final = "emergency-notice"
_KINDS: Final = {"national-id": ("national-id",), "insurance": ("insurance-card", "insurance-number")}


class Breaking(Struct, frozen=True, kw_only=True):
    """What a clinician gives: who lies there ('national-id' | 'insurance' | 'citizen-qr'), why, and the typed
    sentence. safety_flag: a coded ground to tell nobody for up to 72 hours."""

    kind: str
    value: str
    reason: Reason
    text: str
    attestation: str
    safety_flag: SafetyFlag | None = None


async def break_glass(
    tx: Tx, keys: KeyRing, actor: Actor, asked: Breaking, *, trace_id: str, now: datetime
) -> Emergency | Refused:
    """Open what saves a life for four hours. The third within a day, and the same record again within a day,
    wait for a second clinician.

    Refused: emergency-unit-required, emergency-access-suspended, re-authentication-required,
    emergency-reason-invalid, qr-…, too-many, no-emergency-arrival (also for a person nobody knows, and for a
    book that is closed), emergency-access-refused, emergency-access-running.
    """
    await lock_account(tx, actor.actor_id)
    await arrivals.settle_all(tx, actor, trace_id=trace_id, now=now)
    duty = await units.duty_of(tx, actor)
    refused = _may_not(actor, duty, asked, now)
    if refused is not None:
        return refused
    assert duty is not None
    assert duty.unit_id is not None
    patient_id = await _subject(tx, keys, asked, now)
    if isinstance(patient_id, Refused):
        return patient_id
    spent = await budgets.charge_or_refuse(
        tx, budgets.EMERGENCY_MISSES_DAY, budgets.subject(actor.actor_id.bytes), now
    )
    if spent is not None:
        return spent
    await lock_guard(tx, patient_id)
    earlier = await queries.of_pair(tx, patient_id, actor.actor_id, now - AT_MOST)
    barred = await _barred(tx, keys, actor, patient_id, duty.unit_id, earlier, now)
    if isinstance(barred, Refused):
        await _log(tx, actor, patient_id, "consent:emergency:open", trace_id, now, refused=barred)
        return barred
    await budgets.refund(tx, budgets.EMERGENCY_MISSES_DAY, budgets.subject(actor.actor_id.bytes))
    made = await _make(tx, actor, duty, asked, patient_id, barred, earlier, now)
    return await _write(tx, keys, actor, made, asked.text, trace_id, now)


def _may_not(actor: Actor, duty: Duty | None, asked: Breaking, now: datetime) -> Refused | None:
    """What depends on the clinician and the words alone, and may be told."""
    if actor.role != "doctor" or actor.licence is None or duty is None or duty.unit_id is None:
        return Refused(problem=NO_EMERGENCY_UNIT)
    if duty.suspended_at is not None:
        return Refused(problem=EMERGENCY_SUSPENDED)
    if now - duty.proven_at > PROOF_LIFE:
        return Refused(problem=PROVE_AGAIN)
    if not is_reasoned(asked.text):
        return Refused(problem=EMERGENCY_REASON, where="text")
    if not is_attested(asked.attestation):
        return Refused(problem=EMERGENCY_REASON, where="attestation")
    return None


async def _subject(tx: Tx, keys: KeyRing, asked: Breaking, now: datetime) -> UUID | Refused:
    """Whoever was presented: a person, or a stand-in that no citizen has. A scan is no arrival."""
    if asked.kind == "citizen-qr":
        scan = read_code(keys, asked.value, now)
        return scan if isinstance(scan, Refused) else scan.patient_id
    for kind in _KINDS.get(asked.kind, ()):
        value = normal_identifier(kind, asked.value)
        if value is not None:
            _, hashed = lookup_hashes(keys, "asked-for", f"{kind}|{value}")[0]
            stand_in = uuid8(hashlib.sha256(b"pseudo person" + hashed).digest())
            return await resolve_subject(tx, keys, kind, value, now) or stand_in
    return refuse(ACCESS_REQUEST_INVALID, "subject.value")


async def _barred(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    patient_id: UUID,
    unit_id: UUID,
    earlier: list[Emergency],
    now: datetime,
) -> Refused | bool:
    """Whether the arrival is there; a refusal where it has to be. The same statements for everybody (S19)."""
    assert actor.facility_id is not None
    came = await emergency_arrival(
        tx, patient_id, actor.facility_id, unit_id, actor.actor_id, now - ARRIVED_WITHIN, now
    )
    alone = await units.is_alone(tx, unit_id, now)
    person = await person_card(tx, keys, patient_id)
    blocked = await blocked_among(tx, patient_id, [actor.actor_id])
    last = earlier[-1] if earlier else None
    is_open = person is not None and person.state in ("active", "death-reported")
    if not is_open or blocked or (came is None and not alone):
        return Refused(problem=NO_EMERGENCY_ARRIVAL)
    if last is not None and last.ended_at is not None:
        return Refused(problem=REFUSED_BY_PERSON)
    if last is not None and last.ends_at > now:
        return Refused(problem=EMERGENCY_RUNNING)
    return came is not None


async def _make(
    tx: Tx,
    actor: Actor,
    duty: Duty,
    asked: Breaking,
    patient_id: UUID,
    arrived: bool,
    earlier: list[Emergency],
    now: datetime,
) -> Emergency:
    """Who opened the same record within the day opens it again with a second clinician alone, and no longer
    than a day from that first time."""
    assert actor.facility_id is not None
    assert duty.unit_id is not None
    count = await queries.count_since(tx, actor.actor_id, now - COUNTED_OVER)
    ends_at = min(now + OPEN_FOR, earlier[0].opened_at + AT_MOST) if earlier else now + OPEN_FOR
    return Emergency(
        patient_id=patient_id,
        emergency_id=uuid7(now),
        version=1,
        practitioner_id=actor.actor_id,
        practitioner_name=actor.name,
        licence=actor.licence or "",
        facility_id=actor.facility_id,
        facility_name=actor.facility_name or "",
        unit_id=duty.unit_id,
        unit_name=duty.unit_name or "",
        reason=asked.reason,
        safety_flag=asked.safety_flag,
        told_from=now + NOTICE_DEFERRED_MAX if asked.safety_flag else now,
        opened_at=now,
        ends_at=ends_at,
        arrival_by=None if arrived else now + ARRIVAL_AFTER,
        needs_cosign=bool(earlier) or count >= ALONE_MAX,
        cosigned_at=None,
        extended_at=None,
        labels=0,
        labels_at=None,
        ended_at=None,
        end_reason=None,
        disputed_at=None,
        dispute=None,
        verdict=None,
        reviewed_at=None,
    )


async def _write(
    tx: Tx, keys: KeyRing, actor: Actor, made: Emergency, text: str, trace_id: str, now: datetime
) -> Emergency:
    """Row, mirrors, log and notice of one opening."""
    assert actor.practitioner_role_id is not None
    patient_id, emergency_id = made.patient_id, made.emergency_id
    sealed = seal(keys, patient_id, "emergency_access", "reason_text", text)
    await queries.insert(tx, made, practitioner_role_id=actor.practitioner_role_id, reason_text=sealed)
    await reviews.insert_review(tx, first_review(made, now + REVIEW_WITHIN))
    await _log(tx, actor, patient_id, "consent:emergency:open", trace_id, now, emergency=made)
    ref, mark = {"emergency_id": str(emergency_id)}, f"{patient_id}:{emergency_id}"
    if made.safety_flag is None:
        await emit(tx, patient_id, "consent.glass-broken", ref, now)
    else:
        await schedule(tx, bucket_of(patient_id), made.told_from, NOTICE_DUE, mark)
    if made.arrival_by is not None:
        await schedule(tx, bucket_of(patient_id), made.arrival_by, ARRIVAL_DUE, mark)
    return made


async def _log(
    tx: Tx,
    actor: Actor,
    patient_id: UUID,
    tag: str,
    trace_id: str,
    now: datetime,
    *,
    emergency: Emergency | None = None,
    refused: Refused | None = None,
) -> None:
    await record_act(
        tx,
        patient_id,
        actor,
        tag,
        purpose=PURPOSE,
        grant_id=None if emergency is None else emergency.emergency_id,
        grant_version=None if emergency is None else emergency.version,
        outcome="ok" if refused is None else "refused",
        reason=None if refused is None else refused.problem.code,
        request_id=trace_id,
        now=now,
    )


async def opened_again(tx: Tx, actor: Actor, emergency_id: UUID) -> Emergency | Refused:
    """The answer to a repeat of one's own opening, as it stands now."""
    review = None
    if actor.facility_id is not None:
        review = await reviews.review_by_id(tx, actor.facility_id, emergency_id)
    if review is None or review.practitioner_id != actor.actor_id:
        return Refused(problem=UNKNOWN_EMERGENCY)
    found = await queries.by_id(tx, review.patient_id, emergency_id)
    return found or Refused(problem=UNKNOWN_EMERGENCY)
