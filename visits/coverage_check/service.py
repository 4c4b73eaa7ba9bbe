"""Checking a card: begun and charged, asked outside any transaction, and its result kept with the arrival.

A check decides nothing: with or without an answer the arrival stands and the person is received.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from audit.service import record_act
from identity import budgets
from identity.identifiers import normal_identifier
from identity.merges.aliases import book_to_tell
from identity.people import number_owner
from kernel.access import Actor
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.arrivals import is_open_today
from visits.coverage_check import queries
from visits.coverage_check.models import Check
from visits.coverage_check.ports import CheckError, CoverageCheck, Failure, Question
from visits.problems import ARRIVAL_UNKNOWN, NOT_AT_A_FACILITY

_NOBODY: Final = UUID(int=0)
_KINDS: Final = ("national-id", "insurance-card", "insurance-number")

log = structlog.get_logger()


async def begin(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    arrival_id: UUID,
    question: Question,
    *,
    request_id: str,
    now: datetime,
) -> UUID | Refused:
    """Note that a card is asked about, of somebody who came here today. Account and facility are charged
    first; whoever has the number reads it in the log, and the answer is the same where nobody has it
    (security.md S19). Refused: not-at-a-facility, too-many, arrival-unknown."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    limits = (
        (budgets.COVERAGE_CHECKS_DAY, actor.actor_id),
        (budgets.COVERAGE_CHECKS_DAY_FACILITY, actor.facility_id),
    )
    for budget, who in limits:
        refused = await budgets.charge_or_refuse(tx, budget, budgets.subject(who.bytes), now)
        if refused is not None:
            return refused
    if not await is_open_today(tx, actor.facility_id, arrival_id, now):
        return Refused(problem=ARRIVAL_UNKNOWN)
    check_id = uuid7(now)
    await queries.BEGIN.run(tx, actor.facility_id, check_id, arrival_id, actor.actor_id, now)
    told = await _told(tx, keys, question.number, now)
    if told is not None:
        await record_act(tx, told, actor, "visit:coverage:check", request_id=request_id, now=now)
    return check_id


async def ask(port: CoverageCheck | None, question: Question) -> str | Failure:
    """The gateway's code, or why there is none. No transaction is open."""
    if port is None:
        return "not-set"
    try:
        return await port.look_up(question)
    except CheckError as error:
        log.warning("a card could not be checked", reason=error.reason)
        return error.reason


async def finish(
    tx: Tx, facility_id: UUID, check_id: UUID, answered: str | Failure, now: datetime
) -> Check | None:
    """Keep the result; the first one of a check stands."""
    code = answered if answered.isdigit() else None
    failure = None if code else answered
    await queries.FINISH.run(tx, facility_id, check_id, now, code, failure)
    return await queries.check_by_id(tx, facility_id, check_id)


async def _told(tx: Tx, keys: KeyRing, number: str, now: datetime) -> UUID | None:
    """In whose log it stands: whose number it is, as far as it has the form of one. All kinds are looked up,
    found or not: an unknown number costs the same statements."""
    owner = None
    for kind in _KINDS:
        normal = normal_identifier(kind, number)
        found = await number_owner(tx, keys, kind, normal) if normal else None
        owner = owner or found
    told = await book_to_tell(tx, owner.patient_id or _NOBODY if owner is not None else _NOBODY, now)
    return told if owner is not None else None
