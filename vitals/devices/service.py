"""A device is met with its first batch, and taken out for good: one that is used again connects anew."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from audit.service import record_act
from kernel.access import Access
from kernel.problems import Refused
from store.database import Tx
from vitals.devices import queries
from vitals.devices.models import Devices, DeviceShown, Row, SourceShown
from vitals.intake.queries import LOCK_HEAD
from vitals.problems import (
    VITAL_DEVICE_REVOKED,
    VITAL_DEVICE_UNKNOWN,
    VITAL_DEVICES_FULL,
    VITAL_SOURCE_UNKNOWN,
)
from vitals.retention.service import watch
from vitals.sight import shown_source, source_of
from vitals.wire import SourceKind

LIVE_MAX: Final = 50
# Every reinstallation of an app is a device of its own. Those with sources are fewer (intake/sources.py).
EVER_MAX: Final = 1_000
SOURCE_ID: Final = re.compile("[0-9]{1,6}")


async def admit(tx: Tx, access: Access, device_id: str, now: datetime) -> Refused | None:
    """Let a device send, and keep it where it is new. One statement for one that is known."""
    return await admit_device(tx, access.patient_id, device_id, access.actor.actor_id, now)


async def admit_device(
    tx: Tx, patient_id: UUID, device_id: str, added_by: UUID, now: datetime
) -> Refused | None:
    """The same for what was decided before: a file that waited. Refused: vital-device-revoked,
    vital-devices-full."""
    known = await queries.STATE.one(tx, patient_id, device_id)
    if known is not None:
        return None if known.revoked_at is None else Refused(problem=VITAL_DEVICE_REVOKED)
    # Two new ones at once are counted one after the other.
    await LOCK_HEAD.one(tx, patient_id, now, timedelta())
    counts = await queries.COUNTS.one(tx, patient_id)
    if counts is not None and counts.live >= LIVE_MAX:
        return Refused(problem=VITAL_DEVICES_FULL)
    if counts is not None and counts.ever >= EVER_MAX:
        await queries.FORGET.run(tx, patient_id)
    await queries.INSERT.run(tx, patient_id, device_id, added_by, now)
    await watch(tx, patient_id, now)
    return None


async def revoke(tx: Tx, access: Access, device_id: str, *, request_id: str, now: datetime) -> Refused | None:
    """Take nothing more from a device; what it sent stays."""
    if await queries.REVOKE.one(tx, access.patient_id, device_id, now) is None and not (
        await _revoke_merged(tx, access, device_id, now)
    ):
        return Refused(problem=VITAL_DEVICE_UNKNOWN)
    await _record(tx, access, "vitals:device:revoke", request_id, now)
    return None


async def _revoke_merged(tx: Tx, access: Access, device_id: str, now: datetime) -> bool:
    """A device that a merged person had sends into this book from now on: it is kept out of this one."""
    if await queries.STATE.one(tx, access.patient_id, device_id) is not None:
        return False
    for origin in sorted(access.origins):
        known = await queries.STATE.one(tx, origin, device_id)
        if known is not None and known.revoked_at is None:
            asked = (access.patient_id, device_id, access.actor.actor_id, now)
            await queries.INSERT_REVOKED.run(tx, *asked)
            return True
    return False


async def set_priority(
    tx: Tx, access: Access, source_id: str, priority: int, *, request_id: str, now: datetime
) -> Refused | None:
    """Say which source counts where several count the same steps; what was stored stays as it is."""
    number = int(source_id) if SOURCE_ID.fullmatch(source_id) else 0
    found = source_of((access.patient_id, *sorted(access.origins)), number)
    if found is None or await queries.SET_PRIORITY.one(tx, *found, priority) is None:
        return Refused(problem=VITAL_SOURCE_UNKNOWN)
    await _record(tx, access, "vitals:source:change", request_id, now)
    return None


async def listed(tx: Tx, people: Sequence[UUID]) -> Devices:
    """The devices of a person, and of those who were merged into it."""
    found: dict[str, list[tuple[int, Row]]] = {}
    for place, patient_id in enumerate(people):
        for row in await queries.LIST.all(tx, patient_id):
            found.setdefault(row.device_id, []).append((place, row))
    devices = [_shown(rows) for rows in found.values()]
    return Devices(devices=sorted(devices, key=lambda one: one.last_seen_at or one.added_at, reverse=True))


def _shown(rows: Sequence[tuple[int, Row]]) -> DeviceShown:
    """Rows of one device, each with the place of its person: what holds of it is said by the first."""
    sources = list(_sources(rows))
    first = rows[0][1]
    return DeviceShown(
        device_id=first.device_id,
        added_at=first.added_at,
        revoked_at=first.revoked_at,
        last_seen_at=max((one.last_seen_at for one in sources), default=None),
        sources=sources,
    )


def _sources(rows: Iterable[tuple[int, Row]]) -> Iterable[SourceShown]:
    for place, row in rows:
        if row.source_id is None or row.last_seen_at is None:
            continue
        yield SourceShown(
            source_id=shown_source(place, row.source_id),
            app=row.app or "",
            kind=cast(SourceKind, row.kind),
            model=row.model or None,
            method=row.method or "",
            priority=row.priority or 0,
            clock_offset_ms=row.clock_offset_ms or 0,
            last_seen_at=row.last_seen_at,
        )


async def _record(tx: Tx, access: Access, tag: str, request_id: str, now: datetime) -> None:
    await record_act(
        tx,
        access.patient_id,
        access.actor,
        tag,
        request_id=request_id,
        now=now,
        on_behalf_of=access.on_behalf_of,
    )
