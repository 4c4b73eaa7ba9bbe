"""Asking about one's own data, closing the account, asking to be erased. Every step is in the person's log.

closed   sessions, devices, push addresses, and everybody whom the person let in, end at once. The record
         stays as long as facilities must keep it; an activation in presence opens the account again.
erasure  waits 72 hours, told on every device and cancelled from any of them; then a job deletes
         (consent/rights/erasing.py).
"""

from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from audit.service import record_act, record_admin_event
from consent.approval import Signed
from consent.queries import lock_guard
from consent.rights import queries
from consent.rights.models import Erasure, RightsKind, RightsOutcome, RightsRequest
from consent.rights.policy import ERASURE_WAIT, extended, may_extend, terms_of
from consent.rights.problems import (
    DEATH_REPORTED,
    ERASURE_WAITS,
    NO_ERASURE,
    RIGHTS_REQUEST_OVER,
    SETTLES_ITSELF,
    UNKNOWN_RIGHTS_REQUEST,
)
from consent.standing import end_everything
from consent.step_up import verify_act
from ehr.cases.terms import moved_days
from identity.devices import end_everywhere
from identity.sessions import end_all
from kernel.access import Access, Actor
from kernel.clock import local_day
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.outbox import emit

CLOSE_TYP: Final = "close-account"
ERASE_TYP: Final = "erase-person"
ERASE_JOB: Final = "erase-person"
LISTED_MAX: Final = 100
Step: TypeAlias = Literal["answer", "extend", "finish", "refuse"]
# What the program does and finishes itself: an operator's word would change nothing but what is said of it.
_OWN_KINDS: Final[frozenset[RightsKind]] = frozenset({"erasure", "closing"})


async def open_request(
    tx: Tx, access: Access, kind: RightsKind, *, trace_id: str, now: datetime
) -> RightsRequest:
    """Write down what the person asks for, with the terms that begin now."""
    moved = await moved_days(tx, local_day(now))
    request_id, (answer_at, done_at) = uuid7(now), terms_of(kind, now, moved)
    await queries.INSERT_REQUEST.run(tx, access.patient_id, request_id, kind, now, answer_at, done_at)
    await record_act(tx, access.patient_id, access.actor, "rights:request:open", request_id=trace_id, now=now)
    made = await queries.REQUEST_BY_ID.one(tx, access.patient_id, request_id)
    assert made is not None
    return made


async def requests_of(tx: Tx, patient_id: UUID) -> list[RightsRequest]:
    """What the person asked for, newest first."""
    return await queries.REQUESTS_OF.all(tx, patient_id, LISTED_MAX)


async def running(tx: Tx, after: UUID) -> list[RightsRequest]:
    """What is not finished, by person, after the last one of the page before."""
    return await queries.RUNNING.all(tx, after, LISTED_MAX)


async def overdue(tx: Tx, after: UUID, now: datetime) -> list[RightsRequest]:
    """What of it is past a term."""
    return await queries.OVERDUE.all(tx, after, LISTED_MAX, now)


def is_late(request: RightsRequest, now: datetime) -> bool:
    """Past the term for an answer, or for doing it."""
    unanswered = request.answered_at is None and request.answer_by < now
    return request.done_at is None and (unanswered or request.done_by < now)


async def own_request(tx: Tx, patient_id: UUID, request_id: UUID) -> RightsRequest | Refused:
    found = await queries.REQUEST_BY_ID.one(tx, patient_id, request_id)
    return found if found is not None else Refused(problem=UNKNOWN_RIGHTS_REQUEST)


async def move_request(
    tx: Tx,
    operator: Actor,
    patient_id: UUID,
    request_id: UUID,
    step: Step,
    reason: str,
    *,
    trace_id: str,
    now: datetime,
) -> RightsRequest | Refused:
    """An operator takes a request up, extends it once before its term is over, or ends it: in the person's
    log and, with the reason, in the chain of operators' acts (security.md S26).

    Refused: rights-request-unknown, rights-request-settles-itself, rights-request-over.
    """
    found = await queries.LOCK_REQUEST.one(tx, patient_id, request_id)
    if found is None:
        return Refused(problem=UNKNOWN_RIGHTS_REQUEST)
    if found.kind in _OWN_KINDS:
        return Refused(problem=SETTLES_ITSELF)
    longer = may_extend(found.done_by, now, is_extended=found.extended_at is not None)
    if found.done_at is not None or (step == "extend" and not longer):
        return Refused(problem=RIGHTS_REQUEST_OVER)
    if step == "answer":
        await queries.ANSWER.run(tx, patient_id, request_id, now)
    elif step == "extend":
        until = extended(found.done_by, await moved_days(tx, local_day(found.done_by)))
        await queries.EXTEND.run(tx, patient_id, request_id, now, until)
    else:
        outcome: RightsOutcome = "done" if step == "finish" else "refused"
        await queries.FINISH.run(tx, patient_id, request_id, now, outcome)
    await record_act(tx, patient_id, operator, f"rights:request:{step}", request_id=trace_id, now=now)
    await record_admin_event(tx, operator.name, f"rights-request:{step}", reason, 1, now)
    await emit(tx, patient_id, "consent.rights-moved", {"request_id": str(request_id)}, now)
    return await queries.REQUEST_BY_ID.one(tx, patient_id, request_id) or found


# -- closing


async def close_account(
    tx: Tx, access: Access, signed: Signed, *, environment: str, trace_id: str, now: datetime
) -> Refused | None:
    """End everything that lets anybody into the account, the person too.

    Refused: step-up-refused, death-reported: closing would end what waits for the person's word.
    """
    assert access.action == "close-account"
    assert access.is_own
    held = await verify_act(tx, access, CLOSE_TYP, {}, signed, environment=environment, now=now)
    if isinstance(held, Refused):
        return held
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    if await queries.LOCK_PERSON.one(tx, patient_id) == "death-reported":
        return Refused(problem=DEATH_REPORTED)
    await end_everything(tx, access, trace_id=trace_id, now=now)
    opened = await open_request(tx, access, "closing", trace_id=trace_id, now=now)
    await shut(tx, patient_id, "closed", "account-closed", now)
    await queries.FINISH.run(tx, patient_id, opened.request_id, now, "done")
    await record_act(tx, patient_id, access.actor, "identity:account:close", request_id=trace_id, now=now)
    await emit(tx, patient_id, "identity.account-closed", {}, now)
    return None


async def shut(tx: Tx, patient_id: UUID, state: str, reason: str, now: datetime) -> None:
    """No device, session or push address of the person is left; nobody finds a way in."""
    if await queries.LOCK_PERSON.one(tx, patient_id) is None:
        return
    await queries.SET_STATE.run(tx, patient_id, state)
    await end_everywhere(tx, patient_id, reason, now)
    await end_all(tx, patient_id, reason, now)
    await queries.DROP_TARGETS.run(tx, patient_id)


# -- erasure


async def ask_erasure(
    tx: Tx, access: Access, signed: Signed, *, environment: str, trace_id: str, now: datetime
) -> Erasure | Refused:
    """Everything held about the person goes in 72 hours, unless it is cancelled until then."""
    assert access.is_own
    held = await verify_act(tx, access, ERASE_TYP, {}, signed, environment=environment, now=now)
    if isinstance(held, Refused):
        return held
    patient_id = access.patient_id
    await queries.LOCK_PERSON.one(tx, patient_id)
    before = await queries.LOCK_ERASURE.one(tx, patient_id)
    if before is not None and before.state != "cancelled":
        return Refused(problem=ERASURE_WAITS)
    opened = await open_request(tx, access, "erasure", trace_id=trace_id, now=now)
    await queries.ANSWER.run(tx, patient_id, opened.request_id, now)
    await queries.UPSERT_ERASURE.run(tx, patient_id, opened.request_id, now, now + ERASURE_WAIT)
    await schedule(tx, bucket_of(patient_id), now + ERASURE_WAIT, ERASE_JOB, str(patient_id))
    await emit(tx, patient_id, "consent.erasure-asked", {"request_id": str(opened.request_id)}, now)
    made = await queries.ERASURE_OF.one(tx, patient_id)
    assert made is not None
    return made


async def cancel_erasure(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> Refused | None:
    """The session alone is enough: whoever hears of an erasure that is none stops it (S11)."""
    assert access.is_own
    patient_id = access.patient_id
    request_id = await queries.CANCEL_ERASURE.one(tx, patient_id)
    if request_id is None:
        return Refused(problem=NO_ERASURE)
    await queries.FINISH.run(tx, patient_id, request_id, now, "cancelled")
    await record_act(tx, patient_id, access.actor, "rights:erasure:cancel", request_id=trace_id, now=now)
    await emit(tx, patient_id, "consent.erasure-cancelled", {"request_id": str(request_id)}, now)
    return None


async def cancel_again(tx: Tx, patient_id: UUID, request_id: UUID, now: datetime) -> None:
    """An erasure that its person cancelled before a restored backup let it wait again."""
    found = await queries.LOCK_ERASURE.one(tx, patient_id)
    if found is not None and found.request_id == request_id:
        await queries.CANCEL_ERASURE.one(tx, patient_id)
        await queries.FINISH.run(tx, patient_id, request_id, now, "cancelled")


async def erasure_of(tx: Tx, patient_id: UUID) -> Erasure | Refused:
    found = await queries.ERASURE_OF.one(tx, patient_id)
    return found if found is not None else Refused(problem=NO_ERASURE)
