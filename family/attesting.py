"""Two accounts of one facility say who is whose guardian, as an activation is made (security.md S8).

Both people arrived here today and their papers were seen. A court's order that bars somebody, and its end,
are the act of two registry officers with the paper, without anybody's arrival; its end takes one officer of
the facility that barred and one of another. Beside a guardian who stands, another one waits for an objection.

Past 18 nobody is anybody's guardian by age. Whom a court names for an adult who cannot act stands as a proxy
of every scope, for 12 months at a time: two registry officers with the decision, and the named one is there.
The person disputes it like any other link, and does not end it; the court's next decision does.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from audit.service import record_act
from family import guardians, queries
from family.models import SCOPES, Attested, Proof, ProposalRow
from family.policy import (
    ADULT_AGE,
    PROPOSAL_LIFE,
    PROXY_LIFE_MAX,
    YOUTH_AGE,
    is_of_age,
)
from family.problems import GUARDIANSHIP_REFUSED
from family.service import end_ward
from identity import budgets
from identity.identifiers import normal_identifier
from identity.models import PersonCard
from identity.people import LIVING, lock_people, person_card, resolve_present, resolve_subject
from identity.ports import Arrivals
from identity.problems import CARD_NOT_SEEN, SECOND_ACCOUNT_NEEDED
from kernel.access import Actor
from kernel.clock import end_of_day, local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal
from store.keys import KeyRing
from store.outbox import emit

Number = Annotated[str, Meta(min_length=9, max_length=20)]


class Pair(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the papers name, by their national numbers; a newborn who has none yet by the insurance card, the
    temporary one of a birth note too. kind: link, or what a court ordered: bar and unbar of
    a guardian, ward and end-ward of an adult who cannot act (child_number is then the adult's). document:
    number and day of the court's decision, needed for a ward."""

    child_number: Number
    guardian_number: Number
    kind: Attested = "link"
    proof: Literal["facility-attested", "court-document"] = "facility-attested"
    document: Annotated[str, Meta(min_length=3, max_length=120)] | None = None
    papers_seen: bool


class Proposed(Struct, frozen=True, kw_only=True):
    proposal_id: UUID


async def propose(
    tx: Tx, keys: KeyRing, actor: Actor, pair: Pair, arrived: Arrivals, *, request_id: str, now: datetime
) -> Proposed | Refused:
    """First account. One refusal for unknown numbers, absent people and a child of age (S19)."""
    refused = await _entitled(tx, actor, pair.papers_seen, now)
    if refused is not None:
        return refused
    # What only takes away finds whose book it is now; nothing is opened by a number that leads over a merge.
    find = resolve_subject if pair.kind in ("bar", "end-ward") else resolve_present
    child = await find(tx, keys, _kind_of(pair.child_number), pair.child_number, now)
    guardian = await find(tx, keys, "national-id", pair.guardian_number, now)
    if child is None or guardian is None or child == guardian or (pair.kind == "ward" and not pair.document):
        return Refused(problem=GUARDIANSHIP_REFUSED)
    if not await _may_stand(tx, keys, actor, pair.kind, pair.proof, (child, guardian), arrived, now):
        return Refused(problem=GUARDIANSHIP_REFUSED)
    proposal_id = uuid7(now)
    await queries.INSERT_PROPOSAL.run(
        tx,
        proposal_id,
        pair.kind,
        pair.proof,
        child,
        guardian,
        actor.facility_id,
        actor.actor_id,
        now,
        now + PROPOSAL_LIFE,
        None if pair.document is None else seal(keys, child, "proxy", "court_document", pair.document),
    )
    await record_act(tx, child, actor, "family:guardian:propose", request_id=request_id, now=now)
    return Proposed(proposal_id=proposal_id)


async def confirm(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    proposal_id: UUID,
    papers_seen: bool,
    arrived: Arrivals,
    *,
    request_id: str,
    now: datetime,
) -> Refused | None:
    """Second account of the same facility: from the commit on it holds, and both people are told. A refusal
    for what can still be put right today leaves the proposal open."""
    refused = await _entitled(tx, actor, papers_seen, now)
    if refused is not None:
        return refused
    row = await open_proposal(tx, actor, proposal_id, now)
    if row is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    people = (row.patient_id, row.guardian_id)
    await lock_people(tx, *people)
    if not await _may_stand(tx, keys, actor, row.kind, row.proof, people, arrived, now):
        return Refused(problem=GUARDIANSHIP_REFUSED)
    if await queries.CONFIRM_PROPOSAL.one(tx, proposal_id, now, actor.actor_id) is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    return await _carry_out(tx, keys, actor, row, request_id, now)


async def open_proposal(tx: Tx, actor: Actor, proposal_id: UUID, now: datetime) -> ProposalRow | None:
    """A proposal that this account may confirm: of the own facility, or the end of a bar between two.

    The end of a bar takes the facility that brought the court's order, whichever of the two that is.
    """
    row = await queries.OPEN_PROPOSAL.one(tx, proposal_id, now, actor.actor_id)
    if row is None or actor.facility_id is None:
        return None
    if row.kind != "unbar":
        return row if row.facility_id == actor.facility_id else None
    barred = await queries.BARRED_AT_FACILITY.one(tx, row.patient_id, row.guardian_id)
    both = {row.facility_id, actor.facility_id}
    return row if len(both) == 2 and barred in both else None


async def proposed_again(tx: Tx, actor: Actor, proposal_id: UUID) -> Proposed | Refused:
    """The answer to a repeat of one's own proposal or confirmation."""
    found = await queries.PROPOSAL_OF_ACTOR.one(tx, proposal_id, actor.facility_id, actor.actor_id)
    return Refused(problem=SECOND_ACCOUNT_NEEDED) if found is None else Proposed(proposal_id=found)


def _kind_of(number: str) -> str:
    """By its form alone, so that a number that nobody has costs the same statements (S19)."""
    is_card = normal_identifier("insurance-card", number) is not None
    return "insurance-card" if is_card else "national-id"


async def _entitled(tx: Tx, actor: Actor, papers_seen: bool, now: datetime) -> Refused | None:
    if not papers_seen:
        return Refused(problem=CARD_NOT_SEEN)
    return await budgets.charge_or_refuse(
        tx, budgets.GUARDIANSHIPS_DAY, budgets.subject(actor.actor_id.bytes), now
    )


async def _may_stand(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    kind: str,
    proof: Proof,
    people: tuple[UUID, UUID],
    arrived: Arrivals,
    now: datetime,
) -> bool:
    """The child is under 18 by a known birth date, the guardian at least 15; both live, and are here."""
    cards = [await person_card(tx, keys, one) for one in people]
    child, guardian = cards
    if child is None or guardian is None or any(card is None or card.state not in LIVING for card in cards):
        return False
    if kind != "link":
        named = (child, guardian)
        return await _is_ordered(tx, actor, kind, proof, named, arrived, now)
    today = local_day(now)
    if child.birth_date is None or is_of_age(child.birth_date, ADULT_AGE, today):
        return False
    if not is_of_age(guardian.birth_date, YOUTH_AGE, today) or actor.facility_id is None:
        return False
    return all([await arrived(tx, one, actor.facility_id, now) for one in people])


async def _is_ordered(
    tx: Tx,
    actor: Actor,
    kind: str,
    proof: Proof,
    named: tuple[PersonCard, PersonCard],
    arrived: Arrivals,
    now: datetime,
) -> bool:
    """What a court ordered: the paper and the role; who is to act for an adult is of age and here."""
    if actor.role != "registry-officer" or proof != "court-document" or actor.facility_id is None:
        return False
    if kind != "ward":
        return True
    today = local_day(now)
    adults = all(is_of_age(one.birth_date, ADULT_AGE, today) for one in named)
    return adults and await arrived(tx, named[1].patient_id, actor.facility_id, now)


async def _carry_out(
    tx: Tx, keys: KeyRing, actor: Actor, row: ProposalRow, request_id: str, now: datetime
) -> Refused | None:
    if row.kind == "link":
        return await _link(tx, keys, actor, row, request_id, now)
    if row.kind in ("ward", "end-ward"):
        return await _ward(tx, actor, row, request_id, now)
    return await _bar(tx, actor, row, request_id, now)


async def _link(
    tx: Tx, keys: KeyRing, actor: Actor, row: ProposalRow, request_id: str, now: datetime
) -> Refused | None:
    pair = (row.patient_id, row.guardian_id)
    if not await guardians.put(tx, keys, *pair, row.proof, row.facility_id, now):
        # A court barred this guardian: two accounts at a desk do not undo that.
        return Refused(problem=GUARDIANSHIP_REFUSED)
    for book in pair:
        await record_act(tx, book, actor, "family:guardian:create", request_id=request_id, now=now)
    return None


async def _bar(tx: Tx, actor: Actor, row: ProposalRow, request_id: str, now: datetime) -> Refused | None:
    child, guardian = row.patient_id, row.guardian_id
    if row.kind == "bar":
        await queries.NOTE_BIRTH_GUARDIAN.run(tx, child, guardian, uuid7(now))
        await queries.NOTE_BARRED.run(tx, child, guardian, uuid7(now), row.facility_id, now)
        done = await queries.BAR_GUARDIAN.one(tx, child, guardian, now, row.facility_id)
    else:
        done = await queries.UNBAR_GUARDIAN.one(tx, child, guardian)
    if done is None:
        return Refused(problem=GUARDIANSHIP_REFUSED)
    await record_act(tx, child, actor, f"family:guardian:{row.kind}", request_id=request_id, now=now)
    ids = {"guardian_id": str(guardian), "facility_id": str(row.facility_id)}
    event = "family.guardian-barred" if row.kind == "bar" else "family.guardian-unbarred"
    await emit(tx, child, event, ids, now)
    return None


async def _ward(tx: Tx, actor: Actor, row: ProposalRow, request_id: str, now: datetime) -> Refused | None:
    person, acting, link_id = row.patient_id, row.guardian_id, uuid7(now)
    if row.kind == "end-ward":
        if not await end_ward(tx, person, acting, now):
            return Refused(problem=GUARDIANSHIP_REFUSED)
        await record_act(tx, person, actor, "family:guardian:end-ward", request_id=request_id, now=now)
        # Ending a link tells nobody (security.md S23).
        await emit(tx, person, "family.ward-ended", {"guardian_id": str(acting)}, now)
        return None
    until = end_of_day(local_day(now) + PROXY_LIFE_MAX - timedelta(days=1))
    court = (row.document, row.facility_id)
    done = await queries.PUT_PROXY.one(tx, person, acting, link_id, sorted(SCOPES), now, until, *court)
    if done is None:
        # Somebody disputes what stands between the two: no paper talks over that.
        return Refused(problem=GUARDIANSHIP_REFUSED)
    await queries.PUT_PROXY_BY_PROXY.run(tx, acting, person, link_id, now, until)
    for book in (person, acting):
        await record_act(tx, book, actor, "family:guardian:ward", request_id=request_id, now=now)
        await emit(tx, book, "family.linked", {"link_id": str(link_id)}, now)
    return None


async def bar_again(tx: Tx, child: UUID, guardian: UUID, facility_id: UUID, now: datetime) -> None:
    """A court's bar that a restored backup undid."""
    await queries.NOTE_BIRTH_GUARDIAN.run(tx, child, guardian, uuid7(now))
    await queries.NOTE_BARRED.run(tx, child, guardian, uuid7(now), facility_id, now)
    await queries.BAR_GUARDIAN.one(tx, child, guardian, now, facility_id)
