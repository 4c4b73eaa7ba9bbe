"""Arrivals: the person came to the desk today, by whatever means. No presence (security.md S7, S8).

A number that nobody has leaves a ticket and no person: what a clerk types must not stand in the way of
the true person's first import (S17).
"""

import hashlib
from datetime import datetime
from itertools import count
from uuid import UUID

from audit.service import record_act
from identity import budgets
from identity.identifiers import normal_identifier
from identity.merges.aliases import book_to_tell
from identity.people import number_owner, resolve_subject
from identity.problems import IDENTIFIER_INVALID, UNIT_UNKNOWN
from identity.units.service import is_open
from kernel.access import Actor
from kernel.clock import local_day, start_of_day
from kernel.ids import uuid8
from kernel.problems import Refused
from store.database import Tx
from store.fields import lookup_hashes
from store.keys import KeyRing
from visits import queries
from visits.check_ins import leaving
from visits.check_ins.models import AtCounter, Coming, Noted
from visits.check_ins.recording import hold, note
from visits.counters.service import counter_at
from visits.models import Arrival, Came, Ticket, Typed
from visits.problems import NOT_AT_A_FACILITY
from visits.tickets import service as tickets
from visits.tickets.subjects import number_subjects
from visits.unmet import service as unmet


async def record_arrival(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    number: str,
    *,
    unit_id: UUID | None = None,
    request_id: str,
    now: datetime,
) -> UUID | Refused:
    """`arrive` without a number in a line: the id of the arrival."""
    done = await arrive(tx, keys, actor, number, unit_id=unit_id, request_id=request_id, now=now)
    return done if isinstance(done, Refused) else done.arrival_id


async def arrive(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    number: str,
    *,
    unit_id: UUID | None = None,
    counter_id: UUID | None = None,
    request_id: str,
    now: datetime,
) -> Typed | Refused:
    """A number typed at the desk: a ticket; whoever has the number is told and finds it in the log. With a
    counter it takes a place in its line: the one that the person has there, however they came.

    Account and facility are charged before the number is looked at. A repeat of this account on one day is
    the same arrival, which tells nothing of the number, and a number that nobody has costs the same
    statements (S19). At another counter, or once taken back, it is another arrival. At a unit a repeat
    is the same one within an hour: who is brought in again has arrived again (S24).
    """
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    if unit_id is not None and not await is_open(tx, unit_id, actor.facility_id):
        return Refused(problem=UNIT_UNKNOWN, where="unit_id")
    counter = None if counter_id is None else await counter_at(tx, actor.facility_id, counter_id, unit_id)
    if isinstance(counter, Refused):
        return counter
    refused = await _charge(tx, actor.actor_id, actor.facility_id, now)
    if refused is not None:
        return refused
    normal = normal_identifier("national-id", number)
    if normal is None:
        return Refused(problem=IDENTIFIER_INVALID, where="number")
    at_unit = unit_id if unit_id is not None or counter is None else counter.unit_id
    id_hash = _hashes(keys, normal, actor.facility_id, now)[0]
    made_of = _arrival_key(id_hash, actor.actor_id, at_unit, counter_id, now)
    arrival_id = await _standing(tx, actor.facility_id, made_of)
    ticket = Ticket(arrival_id=arrival_id, recorded_by=actor.actor_id, recorded_at=now)
    await queries.insert_ticket(tx, id_hash, ticket)
    is_first = await queries.NOTE_ARRIVAL.one(tx, actor.facility_id, arrival_id, now) is not None
    await unmet.note(tx, keys, actor.facility_id, arrival_id, actor.actor_id, normal, now)
    patient_id = await resolve_subject(tx, keys, "national-id", normal, now)
    at = None
    if counter is not None:
        subjects = number_subjects(keys, actor.facility_id, normal, patient_id, now)
        at = AtCounter(counter=counter, subjects=subjects)
    whose = patient_id or _stand_in(id_hash)
    told = await _told_of(tx, keys, normal, whose, now)
    done = await _check_in(
        tx,
        actor,
        _typed(actor.facility_id, whose, arrival_id, at_unit, at),
        told,
        ticket,
        request_id,
        now,
        stand_in=is_first if patient_id is None else None,
    )
    return done if isinstance(done, Refused) else Typed(arrival_id=arrival_id, ticket=done.ticket)


async def withdraw_arrival(
    tx: Tx, keys: KeyRing, actor: Actor, arrival_id: UUID, number: str, *, request_id: str, now: datetime
) -> Refused | None:
    """An arrival that was a mistake: from now on it opens nothing, and its number leaves the line. Whoever
    has the number reads it in the log.

    Only by the number that was typed for it, or, of a code that was scanned, by the person's own: every other
    number changes nothing, whoever has it. The same answer for all of them, for a number that nobody has, and
    for an arrival that is none (S19).
    """
    if actor.facility_id is None:
        return Refused(problem=NOT_AT_A_FACILITY)
    refused = await _charge(tx, actor.actor_id, actor.facility_id, now)
    if refused is not None:
        return refused
    normal = normal_identifier("national-id", number)
    if normal is None:
        return Refused(problem=IDENTIFIER_INVALID, where="number")
    patient_id = await resolve_subject(tx, keys, "national-id", normal, now)
    whose = patient_id or _stand_in(_hashes(keys, normal, actor.facility_id, now)[0])
    told = await _told_of(tx, keys, normal, whose, now)
    is_typed = await unmet.is_of(tx, keys, actor.facility_id, arrival_id, normal)
    if is_typed is False:
        return None
    withdrawn = await queries.withdraw_arrival(tx, whose, arrival_id, actor.facility_id, now)
    if not (withdrawn or is_typed):
        return None
    was_noted = await queries.UNNOTE_ARRIVAL.one(tx, actor.facility_id, arrival_id) is not None
    await unmet.withdraw(tx, actor.facility_id, arrival_id, now)
    if withdrawn or was_noted:
        await leaving.take_back(tx, whose, arrival_id, actor.facility_id, now)
        await record_act(tx, told, actor, "visit:arrival:withdraw", request_id=request_id, now=now)
    return None


async def emergency_arrival(
    tx: Tx,
    patient_id: UUID,
    facility_id: UUID,
    unit_id: UUID,
    other_than: UUID,
    first: datetime,
    last: datetime,
) -> Came | None:
    """The latest arrival at this unit that another account noted between these instants."""
    return await queries.emergency_arrival(tx, patient_id, facility_id, unit_id, other_than, first, last)


async def settle_ticket(
    tx: Tx, keys: KeyRing, actor: Actor, number: str, *, request_id: str, now: datetime
) -> None:
    """The day's ticket becomes the arrival of the person who has the number since."""
    assert actor.facility_id is not None
    ticket = await _ticket(tx, keys, number, actor.facility_id, now)
    patient_id = await resolve_subject(tx, keys, "national-id", number, now)
    if ticket is not None and patient_id is not None:
        told = await _told_of(tx, keys, number, patient_id, now)
        given = next(iter(await tickets.given_for(tx, actor.facility_id, ticket.arrival_id)), None)
        unit_id = given.unit_id if given is not None else None
        coming = _typed(actor.facility_id, patient_id, ticket.arrival_id, unit_id, None)
        done = await _check_in(tx, actor, coming, told, ticket, request_id, now)
        if given is not None and not isinstance(done, Refused):
            await hold(tx, done.row, given)


async def arrived_today(tx: Tx, patient_id: UUID, facility_id: UUID, now: datetime) -> bool:
    """True with an arrival here since midnight in Vietnam."""
    midnight = start_of_day(local_day(now))
    return await queries.arrival_since(tx, patient_id, facility_id, midnight, now) is not None


async def check_in_of(tx: Tx, patient_id: UUID, check_in_id: UUID) -> Arrival | None:
    """Where and when this check-in of the person was."""
    return await queries.check_in_by_id(tx, patient_id, check_in_id)


async def typed_today(tx: Tx, keys: KeyRing, number: str, facility_id: UUID, now: datetime) -> bool:
    """True when this number was typed here since midnight in Vietnam, whoever has it."""
    return await _ticket(tx, keys, number, facility_id, now) is not None


async def is_open_today(tx: Tx, facility_id: UUID, arrival_id: UUID, now: datetime) -> bool:
    """Whether a desk of this facility noted that arrival since midnight in Vietnam, whoever came."""
    midnight = start_of_day(local_day(now))
    return await queries.NOTED_ARRIVAL.one(tx, facility_id, arrival_id, midnight) is not None


async def housekeeping(tx: Tx, before: datetime, limit: int) -> int:
    """Remove tickets and desks' notes from before that time, at most `limit` of each; the arrivals of people
    stay. Returns the larger number: who removes a full batch comes again."""
    tickets = await queries.delete_tickets(tx, before, limit)
    return max(tickets, await queries.delete_noted(tx, before, limit))


async def _charge(tx: Tx, account: UUID, facility_id: UUID, now: datetime) -> Refused | None:
    for budget, who in ((budgets.ARRIVALS_DAY, account), (budgets.ARRIVALS_DAY_FACILITY, facility_id)):
        refused = await budgets.charge_or_refuse(tx, budget, budgets.subject(who.bytes), now)
        if refused is not None:
            return refused
    return None


async def _told_of(tx: Tx, keys: KeyRing, number: str, patient_id: UUID, now: datetime) -> UUID:
    """Who hears of an arrival: whose number it is, until a survivor of a merge sees that person's rows (S10).

    Asked also for a stand-in: an unknown number costs the same statements (S19).
    """
    owner = await number_owner(tx, keys, "national-id", number)
    return await book_to_tell(tx, owner.patient_id if owner is not None else patient_id, now)


def _typed(
    facility_id: UUID, patient_id: UUID, arrival_id: UUID, unit_id: UUID | None, at: AtCounter | None
) -> Coming:
    return Coming(
        patient_id=patient_id,
        facility_id=facility_id,
        means="staff-typed",
        code_id=arrival_id,
        unit_id=unit_id,
        at=at,
    )


async def _check_in(
    tx: Tx,
    actor: Actor,
    coming: Coming,
    told: UUID,
    ticket: Ticket,
    request_id: str,
    now: datetime,
    *,
    stand_in: bool | None = None,
) -> Noted | Refused:
    return await note(
        tx,
        actor,
        coming,
        check_in_id=ticket.arrival_id,
        told=told,
        recorded_by=ticket.recorded_by,
        recorded_at=ticket.recorded_at,
        stand_in=stand_in,
        request_id=request_id,
        now=now,
    )


async def _ticket(tx: Tx, keys: KeyRing, number: str, facility_id: UUID, now: datetime) -> Ticket | None:
    normal = normal_identifier("national-id", number)
    for id_hash in _hashes(keys, normal, facility_id, now) if normal else ():
        found = await queries.ticket_by_hash(tx, id_hash)
        if found is not None:
            return found
    return None


def _arrival_key(
    id_hash: bytes, account: UUID, unit_id: UUID | None, counter_id: UUID | None, now: datetime
) -> bytes:
    """What an arrival's id is made of: number, account, day and counter, so that it tells nothing; at a unit
    of the hour besides."""
    at = b"" if unit_id is None else unit_id.bytes + f"{now:%Y%m%d%H}".encode()
    line = b"" if counter_id is None else b"counter" + counter_id.bytes
    return id_hash + account.bytes + at + line


async def _standing(tx: Tx, facility_id: UUID, made_of: bytes) -> UUID:
    """The first of these arrivals that the desk did not take back: as often as the budget lets it."""
    for turn in count():
        arrival_id = uuid8(hashlib.sha256(made_of + (b"" if turn == 0 else turn.to_bytes(2, "big"))).digest())
        if not await unmet.was_withdrawn(tx, facility_id, arrival_id):
            break
    return arrival_id


def _stand_in(id_hash: bytes) -> UUID:
    """Whom the statements of a number that nobody has are about: no citizen has this id."""
    return uuid8(hashlib.sha256(b"nobody" + id_hash).digest())


def _hashes(keys: KeyRing, normal: str, facility_id: UUID, now: datetime) -> list[bytes]:
    """The current key's first; on the day of a rotation the older one's as well."""
    text = f"{facility_id}\0{local_day(now)}\0{normal}"
    return [id_hash for _, id_hash in lookup_hashes(keys, "arrival", text)]
