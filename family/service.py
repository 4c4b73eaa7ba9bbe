"""Links as the decision and both people see them: re-read on every request, nothing is swept (consent.md §6).

Ending a link tells the other side nothing (security.md S23): it has simply gone from that side's list.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct, structs

from audit.service import record_act
from family import queries
from family.models import (
    Band,
    FamilyLink,
    InvitationRow,
    LinkRow,
    Relation,
    Scope,
    WaitingRow,
)
from family.policy import TICKABLE, band, is_scope, part_of
from family.problems import LINK_DISPUTED, NOT_IN_YOUR_CARE, UNKNOWN_LINK
from identity.births.service import newborns_of
from identity.people import LIVING, lock_people, open_demographics, person_card
from kernel.access import Access, Actor, Label
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

# More than either end's own list holds.
LISTED_MAX: Final = 150
Holds: TypeAlias = tuple[tuple[datetime, datetime], ...]


class CoGuardian(Struct, frozen=True, kw_only=True):
    """Another guardian of a child in one's care. starts_at: who waits can be objected to until then."""

    person_id: UUID
    name: str | None
    starts_at: datetime | None


class Relative(Struct, frozen=True, kw_only=True):
    """One line of one's own list. person_id: the other one. until: proxies end by themselves.

    starts_at: a guardian who waits until then; the own wait opens nothing yet and names nobody. by_court: a
    proxy whom a court named. beside: who else is a guardian of that child.
    """

    person_id: UUID
    name: str | None = None
    relation: Relation
    acts: Literal["for-them", "for-me"]
    scopes: list[Scope] = []
    since: datetime | None = None
    until: datetime | None = None
    disputed: bool = False
    band: Band | None = None
    starts_at: datetime | None = None
    by_court: bool = False
    beside: list[CoGuardian] = []


async def link_of(
    tx: Tx, keys: KeyRing, actor_id: UUID, patient_id: UUID, now: datetime, holds: Holds = ()
) -> FamilyLink | None:
    """The link by which one person acts for another now, both of them living; one statement.

    holds: what merges hold of who acts. Of a pair with both kinds the guardian's counts while age lets it.
    """
    row = await queries.LINK_OF_PAIR.one(tx, patient_id, actor_id, now)
    return None if row is None else _link(keys, patient_id, row, now, holds)


def _link(
    keys: KeyRing, patient_id: UUID, row: LinkRow, now: datetime, holds: Holds = ()
) -> FamilyLink | None:
    if row.state not in LIVING or row.barred:
        return None
    birth_date = open_demographics(keys, patient_id, row.demographics).birth_date
    age = band(birth_date, local_day(now))
    if age != "adult" and any(_free(since, holds) for since in (row.birth_since, row.guardian_since)):
        return FamilyLink(
            relation="guardian",
            band=age,
            birth_date=birth_date,
            ticked=Label(row.ticked),
            disputed=row.guardian_disputed,
            sealed_person=row.demographics,
        )
    if not _free(row.proxy_since, holds):
        return None
    return FamilyLink(
        relation="proxy",
        band=age,
        birth_date=birth_date,
        scopes=_scopes(row.scopes),
        until=row.proxy_until,
        disputed=row.proxy_disputed,
        by_court=row.by_court,
        sealed_person=row.demographics,
    )


def _free(since: datetime | None, holds: Holds) -> bool:
    """Whether a link stands, and was made or proven outside everything that a merge holds."""
    return since is not None and not any(first <= since <= last for first, last in holds)


def _scopes(texts: list[str]) -> frozenset[Scope]:
    return frozenset(text for text in texts if is_scope(text))  # type: ignore[misc]


async def acts_for(tx: Tx, actor_id: UUID, patient_id: UUID, now: datetime) -> bool:
    """Whether a link between the two stands still, whatever age and scopes make of it; without any key."""
    return bool(await pairs_standing(tx, [(actor_id, patient_id)], now))


async def pairs_standing(
    tx: Tx, pairs: Sequence[tuple[UUID, UUID]], now: datetime
) -> frozenset[tuple[UUID, UUID]]:
    """The same of many pairs (who acts, for whom), each once: those between whom a link stands."""
    acting, people = [one for one, _ in pairs], [other for _, other in pairs]
    return frozenset(pairs[n - 1] for n in await queries.STANDING_PAIRS.all(tx, people, acting, now))


async def guardians_of(tx: Tx, patient_id: UUID, now: datetime) -> list[UUID]:
    """Who stands as a guardian at this person's end, whatever the person's age; for notices."""
    return [row.guardian_id for row in await queries.GUARDIANS_OF.all(tx, patient_id, now)]


async def answering_for(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[UUID]:
    """The guardians who may answer a request for this person now: nobody's from 15 on."""
    return (await answering_for_many(tx, keys, [patient_id], now))[patient_id]


async def answering_for_many(
    tx: Tx, keys: KeyRing, people: Collection[UUID], now: datetime
) -> dict[UUID, list[UUID]]:
    """The same of many people, each once, by one statement."""
    found: dict[UUID, list[UUID]] = {patient_id: [] for patient_id in people}
    if not found:
        return found
    for row in await queries.GUARDIANS_OF_MANY.all(tx, list(found), now):
        link = _link(keys, row.patient_id, row, now)
        part = part_of(link) if link is not None else None
        if part is not None and "answer-request" in part.actions:
            found[row.patient_id].append(row.guardian_id)
    return found


async def proxies_told(
    tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime, scope: Scope = "reminders"
) -> list[UUID]:
    """The proxies whom an adult lets know that a reminder was not answered, or what the scope says, in the
    order in which they were named."""
    found = []
    for row in await queries.PROXIES_OF.all(tx, patient_id, now):
        link = await link_of(tx, keys, row.proxy_id, patient_id, now)
        if link is None or link.relation != "proxy" or link.band != "adult":
            continue
        if scope in link.scopes and not link.disputed:
            found.append(row.proxy_id)
    return found


async def relatives_of(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> list[Relative]:
    """For whom one acts, and who acts for one. What ended or was barred is not in it."""
    person_id = access.patient_id
    found = [
        structs.replace(one, beside=await _beside(tx, keys, person_id, one, now))
        for one in await dependents_of(tx, keys, access, now, LISTED_MAX)
    ]
    waits = await _own_waits(tx, person_id, now, access.actor.holds)
    return [*found, *waits, *await acting_for(tx, keys, person_id, now)]


async def _own_waits(tx: Tx, person_id: UUID, now: datetime, holds: Holds) -> list[Relative]:
    """Whose guardian one becomes when the wait is over. Nothing of the book is open before."""
    found = []
    for row in await queries.DEPENDENTS.all(tx, person_id):
        starts_at = await queries.WAITS_UNTIL.one(tx, row.dependent_id, person_id, now, list(LIVING))
        if starts_at is not None and _free(row.since, holds):
            found.append(
                Relative(
                    person_id=row.dependent_id, relation="guardian", acts="for-them", starts_at=starts_at
                )
            )
    return found


async def dependents_of(tx: Tx, keys: KeyRing, access: Access, now: datetime, limit: int) -> list[Relative]:
    """For whom one acts now, at most so many; three statements for each."""
    person_id = access.patient_id
    since = {row.dependent_id: row.since for row in await queries.DEPENDENTS.all(tx, person_id)}
    since |= {row.dependent_id: row.since for row in await queries.PRINCIPALS.all(tx, person_id, now)}
    newborns = [one for one in await newborns_of(tx, person_id) if one not in since]
    found: list[Relative] = []
    for dependent_id in (*since, *newborns):
        link = await link_of(tx, keys, person_id, dependent_id, now, access.actor.holds)
        if link is None or part_of(link) is None:
            continue
        found.append(await _dependent(tx, keys, dependent_id, link, since.get(dependent_id)))
        if len(found) == limit:
            break
    return found


async def _dependent(
    tx: Tx, keys: KeyRing, dependent_id: UUID, link: FamilyLink, since: datetime | None
) -> Relative:
    return Relative(
        person_id=dependent_id,
        name=await _name_of(tx, keys, dependent_id),
        relation=link.relation,
        acts="for-them",
        scopes=sorted(link.scopes),
        since=since,
        until=link.until,
        disputed=link.disputed,
        band=link.band,
        by_court=link.by_court,
    )


async def _beside(tx: Tx, keys: KeyRing, person_id: UUID, child: Relative, now: datetime) -> list[CoGuardian]:
    """The other guardians of a child under 15, those who wait too; an older one's are not its guardians'."""
    if child.relation != "guardian" or child.band not in ("child", "schoolchild"):
        return []
    child_id = child.person_id
    starts: dict[UUID, datetime | None] = dict.fromkeys(await guardians_of(tx, child_id, now))
    starts |= {
        row.guardian_id: row.starts_at for row in await queries.WAITING_GUARDIANS.all(tx, child_id, now)
    }
    starts.pop(person_id, None)
    return [
        CoGuardian(person_id=other, name=await _name_of(tx, keys, other), starts_at=starts_at)
        for other, starts_at in starts.items()
    ]


async def _name_of(tx: Tx, keys: KeyRing, person_id: UUID) -> str | None:
    card = await person_card(tx, keys, person_id)
    return card.name if card else None


async def acting_for(tx: Tx, keys: KeyRing, person_id: UUID, now: datetime) -> list[Relative]:
    """Who acts for this person now, and which guardians will when their wait is over."""
    proxies = {row.proxy_id: row for row in await queries.PROXIES_OF.all(tx, person_id, now)}
    found = []
    for other in (*await guardians_of(tx, person_id, now), *proxies):
        link = await link_of(tx, keys, other, person_id, now)
        if link is None or part_of(link) is None:
            continue
        row = proxies.get(other)
        found.append(
            Relative(
                person_id=other,
                name=await _name_of(tx, keys, other),
                relation=link.relation,
                acts="for-me",
                scopes=sorted(link.scopes),
                since=row.since if row and link.relation == "proxy" else None,
                until=link.until,
                disputed=link.disputed,
                by_court=link.by_court,
            )
        )
    return [
        *found,
        *[await _waiting(tx, keys, row) for row in await queries.WAITING_GUARDIANS.all(tx, person_id, now)],
    ]


async def _waiting(tx: Tx, keys: KeyRing, row: WaitingRow) -> Relative:
    return Relative(
        person_id=row.guardian_id,
        name=await _name_of(tx, keys, row.guardian_id),
        relation="guardian",
        acts="for-me",
        starts_at=row.starts_at,
    )


async def is_pair(tx: Tx, one_id: UUID, other_id: UUID) -> bool:
    """Whether anything was ever written between two people, whoever acts."""
    there = await queries.PAIR_KNOWN.one(tx, one_id, other_id)
    return bool(there or await queries.PAIR_KNOWN.one(tx, other_id, one_id))


async def end_link(tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """End all that stands between the two: a proxy from either side, a guardianship by the guardian alone.

    The session alone is enough (S11). Nobody else is told, and the other one's log says nothing of it (S23).
    What one invited others to goes too: a second code may be in the same hands.
    """
    me = access.patient_id
    await lock_people(tx, me, other_id)
    ended = [
        await _end_proxy(tx, me, other_id, now, by_person=True),
        await _end_proxy(tx, other_id, me, now),
        await _give_up(tx, me, other_id, now),
    ]
    if not any(ended):
        return Refused(problem=UNKNOWN_LINK)
    await queries.END_OFFERS.run(tx, me, now)
    await record_act(tx, me, access.actor, "family:link:end", request_id=trace_id, now=now)
    return None


async def _end_proxy(
    tx: Tx, person_id: UUID, proxy_id: UUID, now: datetime, *, by_person: bool = False
) -> bool:
    """by_person: by the word of who is acted for, which ends nobody whom a court named."""
    end = queries.END_OWN_PROXY if by_person else queries.END_PROXY
    if await end.one(tx, person_id, proxy_id, now) is None:
        return False
    await queries.END_PROXY_BY_PROXY.run(tx, proxy_id, person_id, now)
    return True


async def end_ward(tx: Tx, person_id: UUID, proxy_id: UUID, now: datetime) -> bool:
    """A court's decision that named who acts is over. False: none stands."""
    if await queries.END_COURT_PROXY.one(tx, person_id, proxy_id, now) is None:
        return False
    await queries.END_PROXY_BY_PROXY.run(tx, proxy_id, person_id, now)
    return True


async def _give_up(tx: Tx, guardian_id: UUID, child_id: UUID, now: datetime) -> bool:
    await queries.NOTE_BIRTH_GUARDIAN.run(tx, child_id, guardian_id, uuid7(now))
    if await queries.END_GUARDIANSHIP.one(tx, child_id, guardian_id, now) is None:
        return False
    await queries.END_GUARDIANSHIP_BY_GUARDIAN.run(tx, guardian_id, child_id, now)
    return True


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """Every proxy and open invitation of this person ends, and no guardian sees a ticked label any more.

    A guardian's own part of the law (vaccination until 18) is not the young person's to end.
    """
    me = access.patient_id
    await lock_people(tx, me)
    await queries.END_OFFERS.run(tx, me, now)
    for row in await queries.PROXIES_OF.all(tx, me, now):
        if await _end_proxy(tx, me, row.proxy_id, now, by_person=True):
            await record_act(tx, me, access.actor, "family:link:end", request_id=trace_id, now=now)
    for guardian in await queries.GUARDIAN_ROWS.all(tx, me):
        await queries.TICK_LABELS.one(tx, me, guardian.guardian_id, 0)


async def end_proxies_of(
    tx: Tx, person_id: UUID, actor: Actor, *, trace_id: str, now: datetime
) -> list[UUID]:
    """Every proxy and open invitation of a person ends by the word said at a desk. Returns who acted.

    The row in the log is written whether or not there was one: what the desk did stands there.
    """
    await lock_people(tx, person_id)
    await queries.END_OFFERS.run(tx, person_id, now)
    ended = [
        row.proxy_id
        for row in await queries.PROXIES_OF.all(tx, person_id, now)
        if await _end_proxy(tx, person_id, row.proxy_id, now, by_person=True)
    ]
    await record_act(tx, person_id, actor, "family:proxy:end-at-desk", request_id=trace_id, now=now)
    return ended


async def dispute_link(
    tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Suspend what both sides write by the link, until who disputed it takes that back or it ends.

    Each side has a dispute of its own, so nobody settles what the other one disputes.
    """
    me = access.patient_id
    await lock_people(tx, me, other_id)
    for person_id, acting in ((me, other_id), (other_id, me)):
        await queries.NOTE_BIRTH_GUARDIAN.run(tx, person_id, acting, uuid7(now))
    done = [
        await queries.DISPUTE_PROXY.one(tx, me, other_id, now),
        await queries.DISPUTE_GUARDIANSHIP.one(tx, me, other_id, now),
        await queries.DISPUTE_PROXY_ACTING.one(tx, other_id, me, now),
        await queries.DISPUTE_GUARDIANSHIP_ACTING.one(tx, other_id, me, now),
    ]
    if not any(done):
        return Refused(problem=UNKNOWN_LINK)
    await queries.END_OFFERS.run(tx, me, now)
    await record_act(tx, me, access.actor, "family:link:dispute", request_id=trace_id, now=now)
    return None


async def settle_dispute(
    tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Who disputed a link takes it back; nobody else can."""
    me = access.patient_id
    await lock_people(tx, me, other_id)
    done = [
        await queries.SETTLE_PROXY.one(tx, me, other_id),
        await queries.SETTLE_GUARDIANSHIP.one(tx, me, other_id),
        await queries.SETTLE_PROXY_ACTING.one(tx, other_id, me),
        await queries.SETTLE_GUARDIANSHIP_ACTING.one(tx, other_id, me),
    ]
    if not any(done):
        return Refused(problem=UNKNOWN_LINK)
    await record_act(tx, me, access.actor, "family:link:settle", request_id=trace_id, now=now)
    return None


async def object_to_guardian(
    tx: Tx, access: Access, guardian_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """A guardian who still waits never becomes one: by the child's other guardian or by the child itself.

    The desk may attest again, and everybody is told again. Nobody is told of this.
    """
    assert access.action == "guard-grants"
    child = access.patient_id
    await lock_people(tx, child, guardian_id)
    if access.actor.actor_id == guardian_id or (
        await queries.END_WAITING.one(tx, child, guardian_id, now) is None
    ):
        return Refused(problem=UNKNOWN_LINK)
    await queries.END_GUARDIANSHIP_BY_GUARDIAN.run(tx, guardian_id, child, now)
    await record_act(tx, child, access.actor, "family:guardian:object", request_id=trace_id, now=now)
    return None


async def open_invitations(tx: Tx, patient_id: UUID, now: datetime) -> list[InvitationRow]:
    """What a code could still make somebody a proxy by."""
    return await queries.OPEN_OFFERS.all(tx, patient_id, now)


async def take_back_invitation(
    tx: Tx, access: Access, invitation_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The code opens nothing from the commit on; the session alone is enough (S11)."""
    me = access.patient_id
    await lock_people(tx, me)
    if await queries.TAKE_OFFER.one(tx, me, now, invitation_id) is None:
        return Refused(problem=UNKNOWN_LINK)
    await record_act(tx, me, access.actor, "family:proxy:uninvite", request_id=trace_id, now=now)
    return None


async def tick_labels(
    tx: Tx, keys: KeyRing, access: Access, guardian_id: UUID, labels: Label, *, trace_id: str, now: datetime
) -> Refused | None:
    """A youth lets a guardian see these labels, and no others. Call it after the step-up act was checked."""
    me = access.patient_id
    link = await link_of(tx, keys, guardian_id, me, now)
    if link is None or link.relation != "guardian":
        return Refused(problem=UNKNOWN_LINK)
    if link.band != "youth" or labels & ~TICKABLE:
        return Refused(problem=NOT_IN_YOUR_CARE)
    await queries.NOTE_BIRTH_GUARDIAN.run(tx, me, guardian_id, uuid7(now))
    if await queries.TICK_LABELS.one(tx, me, guardian_id, int(labels)) is None:
        return Refused(problem=LINK_DISPUTED)
    await record_act(tx, me, access.actor, "family:labels:tick", request_id=trace_id, now=now)
    return None
