"""Links as the decision and both people see them: re-read on every request, nothing is swept (consent.md §6).

Ending a link tells the other side nothing (security.md S23): it has simply gone from that side's list.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from family import queries
from family.models import Band, FamilyLink, Relation, Scope
from family.policy import TICKABLE, band, is_scope, part_of
from family.problems import NOT_IN_YOUR_CARE, UNKNOWN_LINK
from identity.births.service import newborns_of
from identity.people import open_demographics, person_card
from kernel.access import Access, Label
from kernel.clock import local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

_LIVING = ("active", "death-reported")
Holds: TypeAlias = tuple[tuple[datetime, datetime], ...]


class Relative(Struct, frozen=True, kw_only=True):
    """One line of one's own list. person_id: the other one. until: proxies end by themselves."""

    person_id: UUID
    name: str | None
    relation: Relation
    acts: Literal["for-them", "for-me"]
    scopes: list[Scope] = []
    since: datetime | None = None
    until: datetime | None = None
    disputed: bool = False
    band: Band | None = None


async def link_of(
    tx: Tx, keys: KeyRing, actor_id: UUID, patient_id: UUID, now: datetime, holds: Holds = ()
) -> FamilyLink | None:
    """The link by which one person acts for another now, both of them living; one statement.

    holds: what merges hold of who acts. Of a pair with both kinds the guardian's counts while age lets it.
    """
    row = await queries.LINK_OF_PAIR.one(tx, patient_id, actor_id, now)
    if row is None or row.state not in _LIVING or row.barred:
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
    )


def _free(since: datetime | None, holds: Holds) -> bool:
    """Whether a link stands, and was made or proven outside everything that a merge holds."""
    return since is not None and not any(first <= since <= last for first, last in holds)


def _scopes(texts: list[str]) -> frozenset[Scope]:
    return frozenset(text for text in texts if is_scope(text))  # type: ignore[misc]


async def guardians_of(tx: Tx, patient_id: UUID) -> list[UUID]:
    """Who stands as a guardian at this person's end, whatever the person's age; for notices."""
    return [row.guardian_id for row in await queries.GUARDIANS_OF.all(tx, patient_id)]


async def answering_for(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[UUID]:
    """The guardians who may answer a request for this person now: nobody's from 15 on."""
    found = []
    for guardian in await guardians_of(tx, patient_id):
        link = await link_of(tx, keys, guardian, patient_id, now)
        part = part_of(link) if link is not None else None
        if part is not None and "answer-request" in part.actions:
            found.append(guardian)
    return found


async def relatives_of(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> list[Relative]:
    """For whom one acts, and who acts for one. What ended or was barred is not in it."""
    person_id = access.patient_id
    candidates = {row.dependent_id: row.since for row in await queries.DEPENDENTS.all(tx, person_id)}
    candidates |= {row.dependent_id: row.since for row in await queries.PRINCIPALS.all(tx, person_id, now)}
    newborns = [one for one in await newborns_of(tx, person_id) if one not in candidates]
    found = []
    for dependent_id in (*candidates, *newborns):
        link = await link_of(tx, keys, person_id, dependent_id, now, access.actor.holds)
        if link is not None and part_of(link) is not None:
            found.append(await _dependent(tx, keys, dependent_id, link, candidates.get(dependent_id)))
    return [*found, *await acting_for(tx, keys, person_id, now)]


async def _dependent(
    tx: Tx, keys: KeyRing, dependent_id: UUID, link: FamilyLink, since: datetime | None
) -> Relative:
    card = await person_card(tx, keys, dependent_id)
    return Relative(
        person_id=dependent_id,
        name=card.name if card else None,
        relation=link.relation,
        acts="for-them",
        scopes=sorted(link.scopes),
        since=since,
        until=link.until,
        disputed=link.disputed,
        band=link.band,
    )


async def acting_for(tx: Tx, keys: KeyRing, person_id: UUID, now: datetime) -> list[Relative]:
    """Who acts for this person now."""
    proxies = {row.proxy_id: row for row in await queries.PROXIES_OF.all(tx, person_id, now)}
    found = []
    for other in (*await guardians_of(tx, person_id), *proxies):
        link = await link_of(tx, keys, other, person_id, now)
        if link is None or part_of(link) is None:
            continue
        row = proxies.get(other)
        card = await person_card(tx, keys, other)
        found.append(
            Relative(
                person_id=other,
                name=card.name if card else None,
                relation=link.relation,
                acts="for-me",
                scopes=sorted(link.scopes),
                since=row.since if row and link.relation == "proxy" else None,
                until=link.until,
                disputed=link.disputed,
            )
        )
    return found


async def end_link(tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """End what stands between the two: a proxy from either side, a guardianship by the guardian alone.

    The session alone is enough (S11). Nobody else is told, and the other one's log says nothing of it (S23).
    """
    me = access.patient_id
    ended = await _end_proxy(tx, me, other_id, now) or await _end_proxy(tx, other_id, me, now)
    ended = await _give_up(tx, me, other_id, now) or ended
    if not ended:
        return Refused(problem=UNKNOWN_LINK)
    await record_act(tx, me, access.actor, "family:link:end", request_id=trace_id, now=now)
    return None


async def _end_proxy(tx: Tx, person_id: UUID, proxy_id: UUID, now: datetime) -> bool:
    if await queries.END_PROXY.one(tx, person_id, proxy_id, now) is None:
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
    """Every proxy of this person ends, and no guardian sees a ticked label any more.

    A guardian's own part of the law (vaccination until 18) is not the young person's to end.
    """
    me = access.patient_id
    for row in await queries.PROXIES_OF.all(tx, me, now):
        await _end_proxy(tx, me, row.proxy_id, now)
        await record_act(tx, me, access.actor, "family:link:end", request_id=trace_id, now=now)
    for guardian in await queries.GUARDIAN_ROWS.all(tx, me):
        await queries.TICK_LABELS.one(tx, me, guardian.guardian_id, 0)


async def dispute_link(
    tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Suspend what the link lets anybody write, until who disputed it takes that back or ends it."""
    me = access.patient_id
    for person_id, acting in ((me, other_id), (other_id, me)):
        await queries.NOTE_BIRTH_GUARDIAN.run(tx, person_id, acting, uuid7(now))
        done = await queries.DISPUTE_PROXY.one(tx, person_id, acting, now, me)
        done = await queries.DISPUTE_GUARDIANSHIP.one(tx, person_id, acting, now, me) or done
        if done is not None:
            await record_act(tx, me, access.actor, "family:link:dispute", request_id=trace_id, now=now)
            return None
    return Refused(problem=UNKNOWN_LINK)


async def settle_dispute(
    tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """Who disputed a link takes it back; nobody else can."""
    me = access.patient_id
    for person_id, acting in ((me, other_id), (other_id, me)):
        done = await queries.SETTLE_PROXY.one(tx, person_id, acting, me)
        done = await queries.SETTLE_GUARDIANSHIP.one(tx, person_id, acting, me) or done
        if done is not None:
            await record_act(tx, me, access.actor, "family:link:settle", request_id=trace_id, now=now)
            return None
    return Refused(problem=UNKNOWN_LINK)


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
    await queries.TICK_LABELS.one(tx, me, guardian_id, int(labels))
    await record_act(tx, me, access.actor, "family:labels:tick", request_id=trace_id, now=now)
    return None
