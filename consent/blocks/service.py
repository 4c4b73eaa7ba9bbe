"""Blocking a practitioner or a facility: what they hold ends, and their later requests do not arrive.

To the asking side a blocked request is like any other that nobody answers (security.md S19). A request with
the person's own code scanned in it always rings (S31), and still opens nothing until the block is lifted.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from audit.service import record_act
from consent.blocks import queries
from consent.blocks.queries import Block, BlockKind
from consent.delegations.ending import end_one
from consent.delegations.queries import live_delegations
from consent.grants.queries import grant_by_id, live_grants_of_person
from consent.grants.service import LAST_ID, revoke_grant
from consent.models import AccessRequest, Grant
from consent.problems import UNKNOWN_BLOCK, UNKNOWN_GRANT, UNKNOWN_REQUEST
from consent.queries import lock_doors, lock_guard
from consent.requests.queries import request_by_id
from kernel.access import Access
from kernel.ids import uuid7
from kernel.paging import PAGE_MAX
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit


class Target(Struct, frozen=True, kw_only=True):
    """Whom to block. name: what the person's list shows."""

    kind: BlockKind
    id: UUID
    name: str


async def target_of(
    tx: Tx, patient_id: UUID, kind: BlockKind, *, grant_id: UUID | None, request_id: UUID | None
) -> Target | Refused:
    """The practitioner or facility of a grant or request that the person knows."""
    seen: Grant | AccessRequest | None = None
    if grant_id is not None:
        seen = await grant_by_id(tx, patient_id, grant_id)
    elif request_id is not None:
        request = await request_by_id(tx, patient_id, request_id)
        seen = request if request is not None and request.delivery in ("ring", "silent") else None
    if seen is None:
        return Refused(problem=UNKNOWN_REQUEST if grant_id is None else UNKNOWN_GRANT)
    if kind == "practitioner":
        return Target(kind=kind, id=seen.practitioner_id, name=seen.practitioner_name)
    return Target(kind=kind, id=seen.facility_id, name=seen.facility_name)


async def block(tx: Tx, access: Access, target: Target, *, trace_id: str, now: datetime) -> None:
    """From this transaction on; blocking again changes nothing."""
    assert access.action in ("guard-grants", "manage-grants")
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    await lock_doors(tx, patient_id)
    block_id = uuid7(now)
    if not await queries.insert_block(tx, patient_id, block_id, target.kind, target.id, target.name, now):
        return
    ids = {"block_id": str(block_id), "kind": target.kind, "target_id": str(target.id)}
    await emit(tx, patient_id, "consent.blocked", ids, now)
    for grant in await live_grants_of_person(tx, patient_id, now):
        if target.id in (grant.practitioner_id, grant.facility_id):
            await revoke_grant(tx, access, grant.grant_id, trace_id=trace_id, now=now)
    for one in await live_delegations(tx, patient_id):
        if one.practitioner_id == target.id:
            await end_one(tx, patient_id, one.delegation_id, now)
    await record_act(tx, patient_id, access.actor, "consent:block:create", request_id=trace_id, now=now)


async def lift(tx: Tx, access: Access, block_id: UUID, *, trace_id: str, now: datetime) -> Refused | None:
    """Requests arrive again; what ended with the block stays ended. Once more changes nothing."""
    assert access.action in ("guard-grants", "manage-grants")
    patient_id = access.patient_id
    await lock_guard(tx, patient_id)
    if await queries.lift_block(tx, patient_id, block_id, now):
        await emit(tx, patient_id, "consent.unblocked", {"block_id": str(block_id)}, now)
        await record_act(tx, patient_id, access.actor, "consent:block:lift", request_id=trace_id, now=now)
        return None
    known = await queries.block_by_id(tx, patient_id, block_id)
    return None if known is not None else Refused(problem=UNKNOWN_BLOCK)


async def blocks_of_person(tx: Tx, patient_id: UUID, before: UUID | None, limit: int) -> list[Block]:
    """All blocks, lifted ones too, newest first, a page at a time."""
    return await queries.blocks_of_person(tx, patient_id, before or LAST_ID, min(limit, PAGE_MAX + 1))


async def blocked_of(tx: Tx, patient_id: UUID, asking: Iterable[AccessRequest]) -> frozenset[UUID]:
    """Practitioners and facilities of these requests that the person blocks."""
    targets = {target for one in asking for target in (one.practitioner_id, one.facility_id)}
    return frozenset(await queries.blocked_among(tx, patient_id, sorted(targets)))


async def take_over(tx: Tx, merged_id: UUID, survivor_id: UUID, now: datetime) -> None:
    """A merge must not let anybody in whom the person had shut out under the other number."""
    for one in await queries.live_blocks(tx, merged_id):
        await queries.insert_block(
            tx, survivor_id, uuid7(now), one.kind, one.target_id, one.name, now, merged_id
        )


async def give_back(tx: Tx, merged_id: UUID, survivor_id: UUID) -> None:
    """The survivor keeps nobody's blocks but the own ones."""
    await queries.give_back(tx, survivor_id, merged_id)
