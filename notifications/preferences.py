"""How a person wants to be told. Who said nothing has the defaults below, ours: no rule names them."""

from collections.abc import Iterable
from datetime import datetime, time
from functools import cache
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from kernel.access import Access
from kernel.problems import Refused
from notifications import queries
from notifications.groups import MUTABLE
from notifications.models import Language, PreferenceRow
from notifications.problems import PREFERENCE_UNKNOWN
from store.database import Tx
from store.outbox import emit

ZONE_CHANGED: Final = "notifications.zone-changed"


class Preferences(Struct, frozen=True, kw_only=True):
    """quiet_from, quiet_until: wall times of `zone`, both None for none. muted: `<group>:<channel>`."""

    zone: str = "Asia/Ho_Chi_Minh"
    quiet_from: time | None = time(22)
    quiet_until: time | None = time(6)
    language: Language = "vi"
    digest: bool = True
    muted: frozenset[str] = frozenset()
    version: int = 0


DEFAULTS: Final = Preferences()


async def read_preferences(tx: Tx, patient_id: UUID) -> Preferences:
    """The person's own, or the defaults."""
    return (await preferences_of(tx, [patient_id])).get(patient_id, DEFAULTS)


async def preferences_of(tx: Tx, ids: Iterable[UUID]) -> dict[UUID, Preferences]:
    """By person; who has no row has the defaults and is not in it."""
    rows = await queries.PREFERENCES_OF.all(tx, list(ids))
    return {row.patient_id: _preferences(row) for row in rows}


async def set_preferences(
    tx: Tx, access: Access, wanted: Preferences, now: datetime
) -> Preferences | Refused:
    """Replace all of them. Another zone moves the times of reminders: an event says so."""
    if not is_zone(wanted.zone):
        return Refused(problem=PREFERENCE_UNKNOWN, where="zone")
    if not wanted.muted <= MUTABLE:
        return Refused(problem=PREFERENCE_UNKNOWN, where="muted")
    if (wanted.quiet_from is None) != (wanted.quiet_until is None):
        return Refused(problem=PREFERENCE_UNKNOWN, where="quiet_until")
    before = await read_preferences(tx, access.patient_id)
    await queries.UPSERT_PREFERENCES.run(
        tx,
        access.patient_id,
        wanted.zone,
        wanted.quiet_from,
        wanted.quiet_until,
        wanted.language,
        wanted.digest,
        sorted(wanted.muted),
        now,
    )
    if wanted.zone != before.zone:
        await emit(tx, access.patient_id, ZONE_CHANGED, {}, now)
    return await read_preferences(tx, access.patient_id)


def is_zone(name: str) -> bool:
    return name in _zones()


@cache
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _preferences(row: PreferenceRow) -> Preferences:
    return Preferences(
        zone=row.zone,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        language=row.language,
        digest=row.digest,
        muted=frozenset(row.muted) & MUTABLE,
        version=row.version,
    )
