"""Asking for a list, approving it by somebody else, and reading it (security.md S30).

Only who asked and who approved read it. Whoever is shown finds that in the own log; what became sensitive
since the list was made is not shown any more.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from audit.service import record_act, record_admin_event
from identity import budgets
from identity.merges.aliases import book_to_tell, survivor_of
from identity.people import person_card
from identity.phones import number_to_reach
from kernel.access import Actor
from kernel.ids import bucket_of, uuid7
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from visits.exposure import queries
from visits.exposure.models import Asked, Decision, Entry, ExposedPerson, ExposureList, ListRow
from visits.exposure.places import barred_units, is_barred, is_flagged_apart, is_listable
from visits.exposure.policy import APPROVAL_WITHIN, is_basis, window_fault
from visits.exposure.problems import (
    EXPOSURE_ENDED,
    EXPOSURE_NOT_ALLOWED,
    EXPOSURE_STATE,
    EXPOSURE_UNKNOWN,
)

# The timer that makes a list, and ends it; its ref is the list.
JOB: Final = "exposure-list"
_NOBODY: Final = UUID(int=0)
_SEEN: Final = frozenset({"citizen-qr", "counter-qr"})
After = tuple[datetime, UUID]


async def ask(tx: Tx, actor: Actor, asked: Asked, now: datetime) -> ListRow | Refused:
    """A list that waits for somebody else's approval. Refused: exposure-not-allowed, too-many."""
    by_account = budgets.subject(actor.actor_id.bytes)
    spent = await budgets.charge_or_refuse(tx, budgets.EXPOSURE_LISTS_DAY, by_account, now)
    if spent is not None:
        return spent
    if not is_basis(asked.legal_basis):
        return Refused(problem=EXPOSURE_NOT_ALLOWED, where="legal_basis")
    if (fault := window_fault(asked.since, asked.until, now)) is not None:
        return Refused(problem=EXPOSURE_NOT_ALLOWED, where=fault)
    if asked.facility_id is None or not await is_listable(tx, asked.facility_id):
        return Refused(problem=EXPOSURE_NOT_ALLOWED, where="facility_id")
    assert asked.since is not None
    assert asked.until is not None
    row = ListRow(
        list_id=uuid7(now),
        facility_id=asked.facility_id,
        since=asked.since,
        until=asked.until,
        legal_basis=asked.legal_basis.strip(),
        state="asked",
        asked_by=actor.actor_id,
        asked_at=now,
        decided_by=None,
        decided_at=None,
        reached_at=asked.since,
        reached_id=_NOBODY,
        made_at=None,
        count=None,
        expires_at=None,
    )
    await queries.INSERT_LIST.run(tx, *(getattr(row, name) for name in ListRow.__struct_fields__))
    await _noted(tx, actor, "ask", row, now)
    return row


async def conclude(
    tx: Tx, actor: Actor, list_id: UUID, decision: Decision, now: datetime
) -> ListRow | Refused:
    """The second person's word; an approval has the list made at once. Refused: exposure-list-unknown,
    exposure-list-state, exposure-not-allowed where the approver asked for it, or what was allowed when it was
    asked for is so no more."""
    row = await queries.LOCK_LIST.one(tx, list_id)
    if row is None:
        return Refused(problem=EXPOSURE_UNKNOWN)
    if row.asked_by == actor.actor_id:
        return Refused(problem=EXPOSURE_NOT_ALLOWED, where="approver")
    if row.state != "asked" or now >= row.asked_at + APPROVAL_WITHIN:
        return Refused(problem=EXPOSURE_STATE)
    if decision.approve:
        if (fault := window_fault(row.since, row.until, now)) is not None:
            return Refused(problem=EXPOSURE_NOT_ALLOWED, where=fault)
        if not await is_listable(tx, row.facility_id):
            return Refused(problem=EXPOSURE_NOT_ALLOWED, where="facility_id")
        await schedule(tx, bucket_of(list_id), now, JOB, str(list_id))
    state = "approved" if decision.approve else "refused"
    await queries.DECIDE.run(tx, list_id, state, actor.actor_id, now)
    await _noted(tx, actor, "approve" if decision.approve else "refuse", row, now)
    return await queries.LIST_BY_ID.one(tx, list_id) or row


async def one(tx: Tx, list_id: UUID) -> ListRow | Refused:
    """Refused: exposure-list-unknown."""
    return await queries.LIST_BY_ID.one(tx, list_id) or Refused(problem=EXPOSURE_UNKNOWN)


async def all_lists(tx: Tx, before: UUID, limit: int) -> list[ListRow]:
    """Newest first."""
    return await queries.LISTS.all(tx, before, limit)


async def lists_of(tx: Tx, facility_id: UUID, before: UUID, limit: int) -> list[ListRow]:
    """Those of one facility, newest first."""
    return await queries.LISTS_OF_FACILITY.all(tx, facility_id, before, limit)


def shown(row: ListRow, actor: Actor) -> ExposureList:
    """Without anybody on it; who asked and who decided stand in the operators' chain."""
    fields = (name for name in ExposureList.__struct_fields__ if name != "is_own")
    return ExposureList(**{name: getattr(row, name) for name in fields}, is_own=_is_own(row, actor))


async def people(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    list_id: UUID,
    after: After | None,
    limit: int,
    request_id: str,
    now: datetime,
) -> tuple[list[ExposedPerson], After | None] | Refused:
    """A page of a list, oldest visit first, and where the next one begins. Refused: exposure-list-unknown,
    exposure-list-state, exposure-list-ended, exposure-not-allowed."""
    row = await queries.LIST_BY_ID.one(tx, list_id)
    if row is None or not _is_own(row, actor):
        return Refused(problem=EXPOSURE_UNKNOWN)
    if row.state == "ended" or (row.expires_at is not None and now >= row.expires_at):
        return Refused(problem=EXPOSURE_ENDED)
    if row.state != "made":
        return Refused(problem=EXPOSURE_STATE)
    if not await is_listable(tx, row.facility_id):
        return Refused(problem=EXPOSURE_NOT_ALLOWED, where="facility_id")
    found = await _standing(tx, row, after or (row.since, _NOBODY), limit + 1)
    page = found[:limit]
    for patient_id in sorted({await book_to_tell(tx, entry.patient_id, now) for entry in page}):
        await record_act(tx, patient_id, actor, "visit:exposure:read", request_id=request_id, now=now)
    last = (page[-1].recorded_at, page[-1].check_in_id) if len(found) > limit else None
    return [await _person(tx, keys, entry) for entry in page], last


async def _standing(tx: Tx, row: ListRow, after: After, limit: int) -> list[Entry]:
    """Entries that may be shown now; a page is full unless it is the last."""
    found: list[Entry] = []
    while len(found) < limit:
        batch = await queries.ENTRIES.all(tx, row.list_id, *after, limit)
        if not batch:
            break
        barred = await barred_units(tx, row.facility_id, batch)
        for entry in batch:
            # A check-in that is gone or withdrawn says nothing, and stands on no list either.
            is_flagged = await queries.IS_FLAGGED.one(tx, entry.patient_id, entry.check_in_id)
            if is_flagged is not False or is_barred(entry, barred):
                continue
            if not await is_flagged_apart(tx, row.facility_id, entry):
                found.append(entry)
        after = batch[-1].recorded_at, batch[-1].check_in_id
    return found[:limit]


async def _person(tx: Tx, keys: KeyRing, entry: Entry) -> ExposedPerson:
    who = await survivor_of(tx, entry.patient_id)
    card = await person_card(tx, keys, who)
    return ExposedPerson(
        name=card.name if card is not None else None,
        birth_date=card.birth_date if card is not None else None,
        phone=await number_to_reach(tx, keys, who),
        came_at=entry.recorded_at,
        is_presence=entry.means in _SEEN,
    )


def _is_own(row: ListRow, actor: Actor) -> bool:
    return actor.actor_id == row.asked_by or (row.state != "refused" and actor.actor_id == row.decided_by)


async def _noted(tx: Tx, actor: Actor, act: str, row: ListRow, now: datetime) -> None:
    what = f"exposure-list:{act}"
    await record_admin_event(tx, str(actor.actor_id), what, row.legal_basis, 1, now)
