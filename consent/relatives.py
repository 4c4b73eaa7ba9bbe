"""The child's own word, and relatives in the list of who can see a person (consent.md §7)."""

from datetime import datetime
from uuid import UUID

from audit.service import record_act
from consent.models import Standing
from consent.queries import INSERT_ASSENT
from consent.requests.service import own_mirror, request_for_citizen
from family.service import acting_for
from family.service import end_all as end_links
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


async def standing_of(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> list[Standing]:
    """Guardians and proxies who can act now."""
    return [
        Standing(
            kind=one.relation,
            id=one.person_id,
            name=one.name or "",
            facility=None,
            what=list(one.scopes),
            since=one.since or now,
            until=one.until,
            ends_with=None,
        )
        for one in await acting_for(tx, keys, patient_id, now)
    ]


async def end_all(tx: Tx, access: Access, *, trace_id: str, now: datetime) -> None:
    """Proxies end, and what a guardian was let see beyond the law."""
    if access.is_own:
        await end_links(tx, access, trace_id=trace_id, now=now)
