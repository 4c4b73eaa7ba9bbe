"""Writing notices: one inbox row each, and a delivery per device that they ring on.

One statement for all of a batch, whoever they are for; `notify` (notifications/service.py) is a batch of one.
Runs inside the caller's transaction and sends nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from kernel.ids import bucket_of, uuid7
from notifications import queries
from notifications.groups import ALWAYS_TOLD, waits
from notifications.models import Collapse, NotificationType
from notifications.policy import COLLAPSE
from notifications.preferences import DEFAULTS, preferences_of
from notifications.quiet import Leaving, leaving, spread_of
from store.database import Tx

DIGEST: Final[NotificationType] = "news-waiting"
# A digest that could not leave all day is not news any more.
DIGEST_LIFE: Final = timedelta(hours=12)

_encode_ref = msgspec.json.Encoder().encode


class Notice(Struct, frozen=True, kw_only=True):
    """What is said to one person. key: says it once, however often it is written.

    due_at: when it should ring; None: now. With it the notice has the same id whoever writes it. ref: ids
    that the app opens. covered: devices that ring by themselves. silent: in the inbox only.
    """

    patient_id: UUID
    type_: NotificationType
    key: str
    expires_at: datetime
    due_at: datetime | None = None
    ref: dict[str, str] = {}
    covered: frozenset[UUID] = frozenset()
    silent: bool = False


async def notify_many(tx: Tx, notices: Sequence[Notice], now: datetime) -> list[UUID | None]:
    """Write them all. Returns the id of each that is new, in order; None where its key was said before.

    Whoever muted a group, sleeps, or whose book is frozen is not rung; the inbox has the notice in any case.
    """
    if not notices:
        return []
    asleep = {one.patient_id for one in notices if not one.silent and one.type_ not in ALWAYS_TOLD}
    chosen = await preferences_of(tx, asleep) if asleep else {}
    leaves = [
        _SILENT
        if one.silent
        else leaving(
            one.type_,
            chosen.get(one.patient_id, DEFAULTS),
            one.patient_id,
            one.due_at or now,
            one.expires_at,
            now,
            _about(one),
        )
        for one in notices
    ]
    ids = [stable_id(one) if one.due_at else uuid7(now) for one in notices]
    written = set(await _write(tx, notices, ids, leaves, now))
    await _digest(tx, notices, ids, leaves, written, now)
    return [id_ if id_ in written else None for id_ in ids]


_SILENT: Final = Leaving(None)


def stable_id(one: Notice) -> UUID:
    """The same for the same person, type, key and time; ids sort by their times, as the inbox does."""
    assert one.due_at is not None
    said = hashlib.blake2b(one.patient_id.bytes + f"{one.type_}\0{one.key}".encode(), digest_size=10).digest()
    value = int(one.due_at.timestamp() * 1000) << 80 | int.from_bytes(said, "big")
    return UUID(int=value & _FIELDS | _VERSION_8)


# RFC 9562 §5.8: four bits of version, two of variant.
_FIELDS: Final = ((1 << 128) - 1) & ~(0xF << 76) & ~(0x3 << 62)
_VERSION_8: Final = 0x8 << 76 | 0x2 << 62


async def _write(
    tx: Tx, notices: Sequence[Notice], ids: list[UUID], leaves: list[Leaving], now: datetime
) -> list[UUID]:
    """The ids of those that are new. A morning says the same to many: that goes to the database once."""
    alike = dict[_Alike, int]()
    places = [alike.setdefault(_alike(one), len(alike) + 1) for one in notices]
    types, refs, statuses, ends, collapses, buckets, dependents, quiet = zip(*alike, strict=True)
    covered = [(id_, device) for one, id_ in zip(notices, ids, strict=True) for device in one.covered]
    return await queries.WRITE_NOTICES.all(
        tx,
        [one.patient_id for one in notices],
        ids,
        [one.key for one in notices],
        [leave.at for leave in leaves],
        places,
        types,
        refs,
        statuses,
        ends,
        collapses,
        now,
        f"{int(now.timestamp() * 1000):012x}",
        [id_ for id_, _ in covered],
        [device for _, device in covered],
        buckets,
        dependents,
        quiet,
    )


# Type, ref, status, expires_at, collapse, bucket, dependent_id, keeps_quiet.
_Alike: TypeAlias = tuple[NotificationType, str, str, datetime, Collapse, int, UUID | None, bool]


def _alike(one: Notice) -> _Alike:
    return (
        one.type_,
        _encode_ref(one.ref).decode() if one.ref else "{}",
        "silent" if one.silent else "ring",
        one.expires_at,
        COLLAPSE[one.type_],
        bucket_of(one.patient_id),
        _dependent(one),
        waits(_about(one)),
    )


def _about(one: Notice) -> NotificationType:
    """What a notice says. A reminder of somebody one acts for rings in the night where one's own would."""
    if one.type_ != "dependent-reminder":
        return one.type_
    return _TYPES.get(one.ref.get("what", ""), one.type_)


_TYPES: Final[dict[str, NotificationType]] = {type_: type_ for type_ in COLLAPSE}


def _dependent(one: Notice) -> UUID | None:
    """Whom a notice is about where that is not who gets it."""
    whose = one.ref.get("patient_id")
    return UUID(whose) if whose is not None and whose != str(one.patient_id) else None


async def _digest(
    tx: Tx,
    notices: Sequence[Notice],
    ids: list[UUID],
    leaves: list[Leaving],
    written: set[UUID],
    now: datetime,
) -> None:
    """One push in the morning for all that came in a night, however much it was."""
    mornings = {
        (one.patient_id, leave.digest_at)
        for one, id_, leave in zip(notices, ids, leaves, strict=True)
        if leave.digest_at is not None and id_ in written
    }
    await notify_many(
        tx,
        [
            Notice(
                patient_id=patient_id,
                type_=DIGEST,
                key=f"{DIGEST}:{morning.isoformat()}",
                due_at=morning + spread_of(patient_id),
                expires_at=morning + DIGEST_LIFE,
            )
            for patient_id, morning in sorted(mornings)
        ],
        now,
    )
