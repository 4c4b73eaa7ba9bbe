"""Hiding one visit, result or document, and showing it again. The reader is never told."""

from datetime import datetime
from uuid import UUID

from ehr import store
from ehr.reads.scope import scope_of
from ehr.visibility import queries
from ehr.visibility.models import HidableType, Hiding
from ehr.visibility.problems import NOT_IN_BOOK, TOO_MANY_HIDINGS, UNKNOWN_HIDING
from ehr.visibility.queries import HidingShown
from kernel.access import Access
from kernel.ids import uuid7
from kernel.problems import Refused
from store.database import Tx
from store.outbox import emit

HIDINGS_MAX = 200


async def hide(
    tx: Tx,
    access: Access,
    rtype: HidableType,
    ident: str,
    *,
    reader: UUID | None,
    reader_name: str | None,
    now: datetime,
) -> Hiding | Refused:
    """Hide one entry of the person from everybody (reader None) or from one practitioner.

    What is hidden already from the same reader is that hiding.
    """
    patient_id = access.patient_id
    await store.hold_head(tx, patient_id, now)
    if not await queries.HAS_ROW.one(tx, *scope_of(access, now), rtype, ident):
        return Refused(problem=NOT_IN_BOOK)
    live = await queries.LIVE_HIDINGS.all(tx, patient_id)
    same = next((h for h in live if (h.rtype, h.id, h.reader) == (rtype, ident, reader)), None)
    if same is not None:
        return same
    if len(await hidings_of(tx, access, now)) >= HIDINGS_MAX:
        return Refused(problem=TOO_MANY_HIDINGS)
    hiding_id = uuid7(now)
    await queries.INSERT_HIDING.run(tx, patient_id, hiding_id, rtype, ident, reader, reader_name, now)
    await store.apply_hidings(tx, patient_id, now)
    ids = {"hiding_id": str(hiding_id), "rtype": rtype, "id": ident}
    await emit(tx, patient_id, "ehr.hidden", ids | ({"reader": str(reader)} if reader else {}), now)
    return Hiding(hiding_id, rtype, ident, reader, reader_name, now, None)


async def hide_again(
    tx: Tx,
    patient_id: UUID,
    hiding_id: UUID,
    entry: tuple[str, str],
    reader: UUID | None,
    reader_name: str | None,
    now: datetime,
) -> None:
    """A hiding that a restored backup undid. entry: type and id; it also covers what is imported again."""
    await store.hold_head(tx, patient_id, now)
    if await queries.PUT_HIDING.one(tx, patient_id, hiding_id, *entry, reader, reader_name, now):
        await store.apply_hidings(tx, patient_id, now)


async def end_again(tx: Tx, patient_id: UUID, hiding_id: UUID, now: datetime) -> None:
    """A hiding that its person ended before a restored backup hid the entry again."""
    await store.hold_head(tx, patient_id, now)
    if await queries.END_HIDING.one(tx, patient_id, hiding_id, now) is not None:
        await store.apply_hidings(tx, patient_id, now)


async def end(tx: Tx, access: Access, hiding_id: UUID, now: datetime) -> Hiding | Refused:
    """Show again what this hiding hid, where no other one does. One that the list does not show is none."""
    await store.hold_head(tx, access.patient_id, now)
    listed = {one.hiding_id for one in await hidings_of(tx, access, now)}
    if hiding_id not in listed:
        return Refused(problem=UNKNOWN_HIDING)
    ended = await queries.END_HIDING.one(tx, access.patient_id, hiding_id, now)
    if ended is None:
        return Refused(problem=UNKNOWN_HIDING)
    await store.apply_hidings(tx, access.patient_id, now)
    await emit(tx, access.patient_id, "ehr.shown-again", {"hiding_id": str(hiding_id)}, now)
    return ended


async def hidings_of(tx: Tx, access: Access, now: datetime) -> list[HidingShown]:
    """The live hidings of what this person sees, with its names, newest first."""
    return await queries.HIDINGS_SHOWN.all(tx, *scope_of(access, now))
