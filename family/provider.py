"""Guardians by the word of an identity provider: the children whose numbers it names at level 2.

A result is used up whatever comes of it, and the answer is one for every child and for none: who is linked
stands in the own list. Left to a desk and its eyes: a child of 15 or more, a number that only a facility
reported, and a guardian whom another one said no to. A number that leads over a merge links nobody (S10).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import structs

from audit.service import record_act
from family import guardians, queries
from family.policy import YOUTH_AGE, is_of_age
from identity.people import LIVING, lock_people, person_card, resolve_present
from identity.verification.models import Level
from identity.verification.problems import VERIFICATION_REFUSED
from identity.verification.service import claim
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

LEVEL_MIN: Final[Level] = 2
# Asked about where nobody has the number, so that it costs the same statements (security.md S19).
_NOBODY: Final = UUID(int=0)


async def link_children(
    tx: Tx, keys: KeyRing, access: Access, receipt: str, secret: str, *, trace_id: str, now: datetime
) -> Refused | None:
    """Make the signed-in adult the guardian of each child under 15 whom the provider names and we know.

    receipt, secret: of a transaction of this purpose. Refused: verification-refused, also where the provider
    spoke of somebody else than whose account this is; verification-level-low.
    """
    me = access.patient_id
    proven = await claim(tx, keys, receipt, secret, purpose="link-children", level_min=LEVEL_MIN, now=now)
    if isinstance(proven, Refused):
        return proven
    own = await resolve_present(tx, keys, "national-id", proven.person.number or "", now, verified=True)
    if own != me:
        return Refused(problem=VERIFICATION_REFUSED)
    numbers = sorted(set(proven.person.dependents))
    named = [await _child_of(tx, keys, number, me, now) for number in numbers]
    children = sorted({child for child in named if child is not None})
    if children:
        await _link(tx, keys, access, children, trace_id, now)
    return None


async def _child_of(tx: Tx, keys: KeyRing, number: str, me: UUID, now: datetime) -> UUID | None:
    child = await resolve_present(tx, keys, "national-id", number, now, verified=True)
    return child if await _is_child(tx, keys, child or _NOBODY, now) and child != me else None


async def _is_child(tx: Tx, keys: KeyRing, child: UUID, now: datetime) -> bool:
    """Living, and under 15 by a known birth date: no date is no age."""
    card = await person_card(tx, keys, child)
    if card is None or card.state not in LIVING or card.birth_date is None:
        return False
    return not is_of_age(card.birth_date, YOUTH_AGE, local_day(now))


async def _link(
    tx: Tx,
    keys: KeyRing,
    access: Access,
    children: list[UUID],
    trace_id: str,
    now: datetime,
) -> None:
    me, linked = access.patient_id, list[UUID]()
    await lock_people(tx, me, *children)
    for child in children:
        # No court's bar and no other guardian's word is talked over; both say nothing here.
        if not await _is_child(tx, keys, child, now) or await queries.WAS_OBJECTED_TO.one(tx, child, me):
            continue
        if await guardians.put(tx, keys, child, me, "identity-provider", None, now):
            linked.append(child)
    card = await person_card(tx, keys, me)
    named = structs.replace(access.actor, name=(card.name if card else None) or "")
    for book in sorted([*linked, me] if linked else []):
        await record_act(
            tx,
            book,
            access.actor if book == me else named,
            "family:guardian:create-by-provider",
            request_id=trace_id,
            now=now,
        )
