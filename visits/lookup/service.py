"""A desk finds a person by a number, a card or a phone: at most five candidates, by initials and birth year
until one more fact agrees (security.md S19).

Whoever is shown finds the look-up, its purpose and each try in the own log. A number that nobody has costs
the same statements: they are about a stand-in. Account and facility are charged before the number is read;
tries of a fact count for the person, whatever number, spelling or account led there.
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit.service import record_act
from identity import budgets, people
from identity.identifiers import shown_end
from identity.models import OwnIdentifier, PersonCard
from kernel.access import Actor
from kernel.problems import ProblemType, Refused
from store.database import Tx
from store.fields import FieldSealError, seal, unseal
from store.keys import KeyRing
from visits.lookup import rate
from visits.lookup.finding import find
from visits.lookup.models import (
    CANDIDATE_TTL,
    Candidate,
    CardKind,
    CardNumber,
    Fact,
    LookedUp,
    LookUp,
    MatchedPerson,
    Opened,
    Outcome,
    Purpose,
    Tried,
)
from visits.lookup.policy import agrees, initials
from visits.lookup.problems import (
    FACT_DIFFERS,
    FACT_INVALID,
    FACT_TRIES_USED,
    LOOK_UP_OVER,
    NO_NUMBER,
    NOT_MATCHED_YET,
)
from visits.lookup.texts import next_after
from visits.problems import NOT_AT_A_FACILITY

# One tag for each purpose: the person's log says what it was for.
_SHOWN: Final[dict[Purpose, str]] = {
    "check-in": "visit:look-up:check-in",
    "booking": "visit:look-up:booking",
    "coverage": "visit:look-up:coverage",
    "results": "visit:look-up:results",
    "referral": "visit:look-up:referral",
}
_MATCH: Final = "visit:look-up:match"
# Books that nobody at a desk is led to (security.md S18).
_CLOSED: Final = ("frozen", "erasing")


class Desk(Struct, frozen=True, kw_only=True):
    """Who looks somebody up, and where."""

    actor: Actor
    facility_id: UUID
    request_id: str
    now: datetime


def desk_of(actor: Actor, request_id: str, now: datetime) -> Desk | Refused:
    """Refused: not-at-a-facility."""
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    return Desk(actor=actor, facility_id=actor.facility_id, request_id=request_id, now=now)


async def look_up(tx: Tx, keys: KeyRing, desk: Desk, asked: LookUp) -> LookedUp | Refused:
    """Whom a number can mean, and the next step where that is nobody. Refused: too-many."""
    spent = await _charge(tx, desk)
    if spent is not None:
        return spent
    found = await find(tx, keys, asked, desk.now)
    shown: list[Candidate] = []
    for patient_id in found.people:
        card = await people.person_card(tx, keys, patient_id)
        await record_act(
            tx,
            patient_id,
            desk.actor,
            _SHOWN[asked.purpose],
            purpose=asked.purpose,
            request_id=desk.request_id,
            now=desk.now,
        )
        if card is not None and card.state not in _CLOSED:
            shown.append(_candidate(keys, desk, asked, card))
    outcome: Outcome = "unknown" if found.outcome == "found" and not shown else found.outcome
    await rate.note(tx, desk.facility_id, asked.kind, outcome, desk.now)
    words = next_after(outcome, asked.kind)
    return LookedUp(outcome=outcome, next_vi=words.vi, next_en=words.en, candidates=shown)


async def match(tx: Tx, keys: KeyRing, desk: Desk, fact: Fact) -> MatchedPerson | Refused:
    """Unmask a candidate by one more fact. Refused: look-up-over, look-up-fact-invalid, look-up-tries-used,
    look-up-fact-differs, too-many."""
    if (fact.name is None) == (fact.birth_date is None):
        return Refused(problem=FACT_INVALID, where="name")
    opened = _open(keys, desk, fact.candidate)
    if opened is None:
        return Refused(problem=LOOK_UP_OVER, where="candidate")
    spent = await _charge(tx, desk)
    if spent is not None:
        return spent
    if not await _has_try(tx, desk, opened.patient_id):
        return await _failed(tx, desk, opened, FACT_TRIES_USED)
    card = await people.person_card(tx, keys, opened.patient_id)
    if card is None or card.state in _CLOSED or not agrees(card, fact.name, fact.birth_date):
        return await _failed(tx, desk, opened, FACT_DIFFERS)
    for budget, who in _tries(desk, opened.patient_id):
        await budgets.refund(tx, budget, who)
    await _log(tx, desk, opened.patient_id, None)
    await rate.note(tx, desk.facility_id, opened.kind, "matched", desk.now)
    return await _matched(tx, keys, desk, opened, card, fact)


async def number_for_arrival(tx: Tx, keys: KeyRing, desk: Desk, candidate: str) -> str | Refused:
    """The personal number of a matched candidate, for the arrival alone; it leaves in no answer.

    Refused: look-up-over, look-up-not-matched, look-up-no-number.
    """
    opened = _open(keys, desk, candidate)
    if opened is None:
        return Refused(problem=LOOK_UP_OVER, where="candidate")
    if not opened.is_matched:
        return Refused(problem=NOT_MATCHED_YET, where="candidate")
    for one in await people.own_identifiers(tx, keys, opened.patient_id):
        # A number that somebody said of themselves leads to nobody (security.md S1).
        if one.kind == "national-id" and one.status == "live" and one.state != "self-declared":
            return one.value
    return Refused(problem=NO_NUMBER, where="candidate")


async def _charge(tx: Tx, desk: Desk) -> Refused | None:
    for budget, who in (
        (budgets.LOOK_UPS_DAY, desk.actor.actor_id),
        (budgets.LOOK_UPS_DAY_FACILITY, desk.facility_id),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, budgets.subject(who.bytes), desk.now)
        if refused is not None:
            return refused
    return None


def _tries(desk: Desk, patient_id: UUID) -> tuple[tuple[budgets.Budget, bytes], ...]:
    """By the person, never by what was typed: another spelling, number or account has no tries of its own."""
    here = budgets.subject(desk.facility_id.bytes + patient_id.bytes)
    return (budgets.FACT_TRIES_DAY, here), (budgets.FACT_TRIES_DAY_PERSON, budgets.subject(patient_id.bytes))


async def _has_try(tx: Tx, desk: Desk, patient_id: UUID) -> bool:
    for budget, who in _tries(desk, patient_id):
        if not await budgets.charge(tx, budget, who, desk.now):
            return False
    return True


async def _failed(tx: Tx, desk: Desk, opened: Opened, problem: ProblemType) -> Refused:
    await _log(tx, desk, opened.patient_id, problem)
    tried: Tried = "used-up" if problem is FACT_TRIES_USED else "differs"
    await rate.note(tx, desk.facility_id, opened.kind, tried, desk.now)
    return Refused(problem=problem)


async def _log(tx: Tx, desk: Desk, patient_id: UUID, problem: ProblemType | None) -> None:
    await record_act(
        tx,
        patient_id,
        desk.actor,
        _MATCH,
        outcome="ok" if problem is None else "refused",
        reason=None if problem is None else problem.code,
        request_id=desk.request_id,
        now=desk.now,
    )


def _candidate(keys: KeyRing, desk: Desk, asked: LookUp, card: PersonCard) -> Candidate:
    opened = Opened(
        patient_id=card.patient_id,
        actor_id=desk.actor.actor_id,
        kind=asked.kind,
        purpose=asked.purpose,
        until=desk.now + CANDIDATE_TTL,
        is_matched=False,
    )
    return Candidate(
        candidate=_sealed(keys, desk, opened),
        initials=initials(card.name),
        birth_year=card.birth_date[:4] if card.birth_date else None,
    )


async def _matched(
    tx: Tx, keys: KeyRing, desk: Desk, opened: Opened, card: PersonCard, fact: Fact
) -> MatchedPerson:
    by_phone = opened.kind == "phone"
    numbers = [] if by_phone else await people.own_identifiers(tx, keys, card.patient_id)
    return MatchedPerson(
        candidate=_sealed(keys, desk, replace(opened, is_matched=True)),
        name=card.name if not by_phone or fact.name is not None else None,
        birth_date=card.birth_date if not by_phone or fact.birth_date is not None else None,
        sex=None if by_phone else card.sex,
        numbers=_card_numbers(numbers),
    )


def _card_numbers(numbers: Iterable[OwnIdentifier]) -> list[CardNumber]:
    """What stands on cards, each once; a facility's own number of the person is on none."""
    live = {(one.kind, shown_end(one.value)) for one in numbers if one.status == "live"}
    kinds: tuple[CardKind, ...] = get_args(CardKind)
    return [CardNumber(kind=kind, end=end) for kind in kinds for of, end in sorted(live) if of == kind]


def _sealed(keys: KeyRing, desk: Desk, opened: Opened) -> str:
    text = msgspec.json.encode(opened).decode()
    cell = seal(keys, desk.facility_id, "look_up", "candidate", text)
    return base64.urlsafe_b64encode(cell).rstrip(b"=").decode()


def _open(keys: KeyRing, desk: Desk, text: str) -> Opened | None:
    """None for another account's, another facility's, one that ran out, or anything else."""
    try:
        cell = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        opened = msgspec.json.decode(
            unseal(keys, desk.facility_id, "look_up", "candidate", cell), type=Opened
        )
    except (ValueError, binascii.Error, FieldSealError, msgspec.MsgspecError):
        return None
    if opened.actor_id != desk.actor.actor_id or opened.until <= desk.now:
        return None
    return opened
