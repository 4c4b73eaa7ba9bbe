"""The child's own word, relatives in the list of who can see a person, and what ends with a relative
(consent.md §6, §7)."""

from datetime import datetime
from uuid import UUID

from audit.service import record_act
from consent.grants.service import end_grant
from consent.models import Standing
from consent.queries import GIVEN_BY, INSERT_ASSENT, lock_doors, lock_guard
from consent.requests.service import own_mirror, request_for_citizen
from family import attesting, desk
from family import service as family
from family.models import InvitationRow
from family.service import Relative, acting_for, open_invitations
from family.service import end_all as end_links
from identity.ports import Arrivals
from kernel.access import Access, Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing


async def assent(tx: Tx, access: Access, request_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """The child says on the own device that the guardian may allow this. It opens nothing by itself."""
    assert access.action == "assent"
    assert access.is_own
    request = await request_for_citizen(tx, access.patient_id, request_id, now)
    if isinstance(request, Refused):
        return request
    await INSERT_ASSENT.run(tx, access.patient_id, request_id, "own-device", access.actor.actor_id, now)
    await record_act(tx, access.patient_id, access.actor, "consent:assent:give", request_id=trace_id, now=now)
    return None


async def attest_assent(
    tx: Tx, actor: Actor, request_id: UUID, *, trace_id: str, now: datetime
) -> Refused | None:
    """The practitioner who asks says that the child agrees; the same answer whoever was asked (S19)."""
    mirror = await own_mirror(tx, actor, request_id)
    if isinstance(mirror, Refused):
        return mirror
    await INSERT_ASSENT.run(tx, mirror.patient_id, request_id, "doctor-attested", actor.actor_id, now)
    await record_act(tx, mirror.patient_id, actor, "consent:assent:attest", request_id=trace_id, now=now)
    return None


async def end_link(tx: Tx, access: Access, other_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """End what stands between two people, and in the same act the grants that either gave for the other."""
    me = access.patient_id
    books = sorted((me, other_id)) if await family.is_pair(tx, me, other_id) else []
    for book in books:
        await lock_guard(tx, book)
        await lock_doors(tx, book)
    refused = await family.end_link(tx, access, other_id, trace_id=trace_id, now=now)
    if refused is not None:
        return refused
    for book in books:
        by = other_id if book == me else me
        if await family.acts_for(tx, by, book, now):
            continue
        await _end_given(tx, book, by, access.actor, trace_id=trace_id, now=now)
    return None


async def confirm_guardianship(
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
    """The second account of the desk. Of whom a court bars, or names no more, no grant stands either."""
    row = await attesting.open_proposal(tx, actor, proposal_id, now)
    if row is not None:
        await lock_guard(tx, row.patient_id)
        await lock_doors(tx, row.patient_id)
    refused = await attesting.confirm(
        tx, keys, actor, proposal_id, papers_seen, arrived, request_id=request_id, now=now
    )
    if refused is None and row is not None and row.kind in ("bar", "end-ward"):
        await _end_given(tx, row.patient_id, row.guardian_id, actor, trace_id=request_id, now=now)
    return refused


async def end_proxies_at_desk(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    number: str,
    card_seen: bool,
    arrived: Arrivals,
    *,
    trace_id: str,
    now: datetime,
) -> Refused | None:
    """Somebody who stands at a desk with the card ends whom they let act, and what those granted."""
    person = await desk.person_to_end_for(tx, keys, actor, number, card_seen, arrived, now)
    if isinstance(person, Refused):
        return person
    await lock_guard(tx, person)
    await lock_doors(tx, person)
    for proxy_id in await family.end_proxies_of(tx, person, actor, trace_id=trace_id, now=now):
        await _end_given(tx, person, proxy_id, actor, trace_id=trace_id, now=now)
    return None


async def _end_given(
    tx: Tx, patient_id: UUID, given_by: UUID, actor: Actor, *, trace_id: str, now: datetime
) -> None:
    """Grants that a relative gave and the person never confirmed. The person's consent lock is held."""
    for grant_id in await GIVEN_BY.all(tx, patient_id, given_by, now):
        await end_grant(tx, patient_id, grant_id, actor, trace_id=trace_id, now=now)


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Guardians and proxies who can act, now or when their wait is over, and invitations that are open."""
    return [
        *[_relative(one, now) for one in await acting_for(tx, keys, patient_id, now)],
        *[_invitation(one) for one in await open_invitations(tx, patient_id, now)],
    ]


def _relative(one: Relative, now: datetime) -> Standing:
    return Standing(
        kind=one.relation,
        id=one.person_id,
        name=one.name or "",
        facility=None,
        what=list(one.scopes),
        since=one.starts_at or one.since or now,
        until=one.until,
        ends_with=None,
    )


def _invitation(row: InvitationRow) -> Standing:
    return Standing(
        kind="proxy-invitation",
        id=row.invitation_id,
        name="",
        facility=None,
        what=list(row.scopes),
        since=row.created_at,
        until=row.expires_at,
        ends_with=None,
    )


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """Proxies and invitations end, and what a guardian was let see beyond the law."""
    if access.is_own:
        await end_links(tx, access, trace_id=trace_id, now=now)
