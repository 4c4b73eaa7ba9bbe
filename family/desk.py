"""A proxy for somebody without a phone, made by two accounts of a desk (security.md S8, S23).

propose   first account: the person stands here today, the card was seen, scopes and last day were ticked
confirm   second account: the same                       → a code on paper, for the named relative alone
accept    the relative, in the own login (family/proxies.py), on a device that is not on probation
end       any desk, one account, the person and the card: all at once

Whoever has a device of the own lets others act with it; a desk does not go around it. No SMS tells anybody: a
contact phone is often the relative's, and an unknown one may be an abuser's.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from audit.service import record_act
from family import queries
from family.models import DeskProposalRow, Scope
from family.policy import (
    DESK_INVITATION_LIFE,
    INVITATIONS_MAX,
    PROPOSAL_LIFE,
)
from family.problems import INVITATIONS_TOO_MANY, PROXY_DESK_REFUSED, PROXY_INVALID
from family.proxies import has_own_way, in_time, offer
from identity import budgets
from identity.budgets import Budget
from identity.identifiers import normal_identifier
from identity.people import lock_people, person_card, resolve_present, resolve_subject
from identity.ports import Arrivals
from identity.problems import CARD_NOT_SEEN, IDENTIFIER_INVALID, SECOND_ACCOUNT_NEEDED
from kernel.access import Actor
from kernel.clock import end_of_day, local_day
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.fields import seal, unseal
from store.keys import KeyRing

Number = Annotated[str, Meta(min_length=9, max_length=20)]
# Asked about where nobody has the number, so that it costs the same statements (security.md S19).
_NOBODY: Final = UUID(int=0)


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person at the desk wants: who acts, for what, until which day (12 months at most).
    person_number, proxy_number: what stands on the two cards; the relative need not be there."""

    person_number: Number
    proxy_number: Number
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=6)]
    until: date
    card_seen: bool


class DeskProposed(Struct, frozen=True, kw_only=True):
    proposal_id: UUID


class Written(Struct, frozen=True, kw_only=True):
    """The code goes onto the relative's paper; nobody can show it again. name: of the person. proxy_ending:
    the last four digits of the relative's card, by which the person checks what was typed."""

    code: str
    name: str | None
    scopes: list[Scope]
    until: date
    expires_at: datetime
    proxy_ending: str


async def propose(
    tx: Tx, keys: KeyRing, actor: Actor, wish: Wish, arrived: Arrivals, *, request_id: str, now: datetime
) -> DeskProposed | Refused:
    """First account. One refusal for unknown numbers, absent people, children, owners of a device, and a
    card whose number leads over a merge (S10, S19)."""
    refused = await _entitled(tx, actor, wish.card_seen, now)
    if refused is not None:
        return refused
    number = normal_identifier("national-id", wish.proxy_number)
    if number is None or number == normal_identifier("national-id", wish.person_number):
        return Refused(problem=IDENTIFIER_INVALID, where="proxy_number")
    if not in_time(wish.until, now):
        return Refused(problem=PROXY_INVALID)
    found = await resolve_present(tx, keys, "national-id", wish.person_number, now)
    person = await _if_here(tx, actor, found, arrived, now)
    acts_alone = await has_own_way(tx, keys, person or _NOBODY, now)
    if person is None or acts_alone:
        return Refused(problem=PROXY_DESK_REFUSED)
    proposal_id = uuid7(now)
    await queries.INSERT_DESK_PROPOSAL.run(
        tx,
        proposal_id,
        person,
        sorted(set(wish.scopes)),
        end_of_day(wish.until),
        seal(keys, person, "proxy_offer", "for_number", number),
        actor.facility_id,
        actor.actor_id,
        now,
        now + PROPOSAL_LIFE,
    )
    await record_act(tx, person, actor, "family:proxy:propose", request_id=request_id, now=now)
    return DeskProposed(proposal_id=proposal_id)


async def confirm(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    proposal_id: UUID,
    card_seen: bool,
    arrived: Arrivals,
    *,
    request_id: str,
    now: datetime,
) -> Written | Refused:
    """Second account of the same facility: makes the code, which works for a week and once. What is refused
    leaves the proposal open, for it can be put right today."""
    refused = await _entitled(tx, actor, card_seen, now)
    if refused is not None:
        return refused
    here = (proposal_id, now, actor.actor_id, actor.facility_id)
    row = await queries.OPEN_DESK_PROPOSAL.one(tx, *here)
    if row is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    person = row.patient_id
    await lock_people(tx, person)
    is_here = await arrived(tx, person, row.facility_id, now)
    if not is_here or await has_own_way(tx, keys, person, now):
        return Refused(problem=PROXY_DESK_REFUSED)
    if len(await queries.OPEN_OFFERS.all(tx, person, now)) >= INVITATIONS_MAX:
        return Refused(problem=INVITATIONS_TOO_MANY)
    if await queries.CONFIRM_DESK_PROPOSAL.one(tx, *here) is None:
        return Refused(problem=SECOND_ACCOUNT_NEEDED)
    return await _write(tx, keys, actor, row, request_id, now)


async def _write(
    tx: Tx, keys: KeyRing, actor: Actor, row: DeskProposalRow, request_id: str, now: datetime
) -> Written:
    until = local_day(row.until - timedelta(seconds=1))
    made = await offer(
        tx,
        row.patient_id,
        row.scopes,
        until,
        now + DESK_INVITATION_LIFE,
        now,
        facility_id=row.facility_id,
        for_number=row.for_number,
    )
    await record_act(tx, row.patient_id, actor, "family:proxy:write", request_id=request_id, now=now)
    card = await person_card(tx, keys, row.patient_id)
    return Written(
        code=made.code,
        name=card.name if card else None,
        scopes=row.scopes,
        until=until,
        expires_at=made.expires_at,
        proxy_ending=unseal(keys, row.patient_id, "proxy_offer", "for_number", row.for_number)[-4:],
    )


async def proposed_again(tx: Tx, actor: Actor, proposal_id: UUID) -> DeskProposed | Refused:
    """The answer to a repeat of one's own proposal or confirmation."""
    found = await queries.DESK_PROPOSAL_OF_ACTOR.one(tx, proposal_id, actor.facility_id, actor.actor_id)
    return Refused(problem=SECOND_ACCOUNT_NEEDED) if found is None else DeskProposed(proposal_id=found)


async def person_to_end_for(
    tx: Tx, keys: KeyRing, actor: Actor, number: str, card_seen: bool, arrived: Arrivals, now: datetime
) -> UUID | Refused:
    """Whose proxies a desk may end: one account is enough, for it only takes away, and finds whose book it is
    now. Nothing is said of whether there is any."""
    refused = await _entitled(tx, actor, card_seen, now, budgets.DESK_PROXY_ENDS_DAY)
    if refused is not None:
        return refused
    found = await resolve_subject(tx, keys, "national-id", number, now)
    person = await _if_here(tx, actor, found, arrived, now)
    return Refused(problem=PROXY_DESK_REFUSED) if person is None else person


async def _entitled(
    tx: Tx, actor: Actor, card_seen: bool, now: datetime, budget: Budget = budgets.DESK_PROXIES_DAY
) -> Refused | None:
    if not card_seen:
        return Refused(problem=CARD_NOT_SEEN)
    return await budgets.charge_or_refuse(tx, budget, budgets.subject(actor.actor_id.bytes), now)


async def _if_here(tx: Tx, actor: Actor, found: UUID | None, arrived: Arrivals, now: datetime) -> UUID | None:
    """The person, if there is one and it arrived at this facility today."""
    here = await arrived(tx, found or _NOBODY, actor.facility_id or _NOBODY, now)
    return found if here else None
