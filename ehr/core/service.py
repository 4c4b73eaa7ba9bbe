"""What a reader asks of a core: shall I wait for it, go and ask it, and how current is what I read."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ehr.core import queries
from ehr.core.policy import PARTS, SECTION_PART, LinkRow, PartRow, Shown, currency_of, need_of
from ehr.core.refresh import refresh
from ehr.ports import Core
from ehr.reads.currency import OWN_TABLES_ALONE, CoreShown, Currency
from kernel.clock import VIETNAM, Clock
from kernel.ids import bucket_of
from store.database import Store, Tx
from store.due_queue import arm

# Jobs of the due queue; their ref is the patient_id.
REFRESH: Final = "core-refresh"
COMPARE: Final = "core-compare"
# Longer than one reader may wait.
AFTER_READER: Final = timedelta(seconds=5)

_NOTICES: Final[dict[Shown, tuple[str | None, str | None]]] = {
    "unclear": (
        "Chưa xác định được người này tại {name} nên không đọc dữ liệu từ đó.",
        "It is not clear who this person is at {name}, so nothing is read from there.",
    ),
    "stale": (
        "Chưa cập nhật được dữ liệu từ {name} (lần gần nhất: {at}). Hồ sơ có thể thiếu thông tin mới.",
        "Data from {name} could not be updated (last: {at}). The record may lack new information.",
    ),
    "partial": (
        "Mới có một phần dữ liệu từ {name}. Hồ sơ có thể chưa đầy đủ.",
        "Only a part of the data from {name} is here. The record may be incomplete.",
    ),
    "current": (None, None),
}
# The worst of the parts speaks for the core.
_WORST_FIRST: Final[tuple[Shown, ...]] = ("unclear", "stale", "partial", "current")


async def wants_core(
    tx: Tx, core: Core | None, patient_id: UUID, now: datetime, origins: Iterable[UUID] = ()
) -> bool:
    """Whether the reader should wait for the core, once; what can come later is left to a job.

    A core that failed too often is not waited for: the reader gets what is here, marked. origins: persons
    merged into this one whose rows the reader sees; nobody waits for them.
    """
    if core is None:
        return False
    for origin in origins:
        if need_of(*await _known(tx, core, origin), now) != "nothing":
            await arm(tx, bucket_of(origin), now, REFRESH, str(origin))
    link, parts = await _known(tx, core, patient_id)
    need = need_of(link, parts, now)
    if need == "nothing":
        return False
    # The reader who waits holds the lease: a job at once would find it taken.
    due_at = now + AFTER_READER if need == "now" else now
    await arm(tx, bucket_of(patient_id), due_at, REFRESH, str(patient_id))
    return need == "now" and core.state(now) != "open"


async def ask_core(store: Store, clock: Clock, core: Core | None, patient_id: UUID) -> None:
    """Ask it while somebody waits. Never inside a transaction; fails in silence, the answer tells."""
    if core is not None:
        await refresh(store, clock, core, patient_id, "interactive")


async def currency(
    tx: Tx, core: Core | None, patient_id: UUID, now: datetime, origins: Iterable[UUID] = ()
) -> Currency:
    """How far the core stands behind what is read now: behind the worst known of the persons it is about."""
    if core is None:
        return OWN_TABLES_ALONE
    known = [await _known(tx, core, one) for one in (patient_id, *origins)]
    asked = [(link, {row.part: row for row in rows}) for link, rows in known if not _is_absent(link)]
    if not asked:
        return OWN_TABLES_ALONE
    states = {
        part: _worst({currency_of(link, parts.get(part), now) for link, parts in asked}) for part in PARTS
    }
    doubtful = frozenset(key for key, part in SECTION_PART.items() if states[part] != "current")
    instants = [row.asked_at for _, parts in asked for row in parts.values() if row.asked_at is not None]
    as_of = min(instants) if len(instants) == len(PARTS) * len(asked) else None
    return Currency([_shown(core.name, _worst(set(states.values())), as_of)], doubtful)


def _is_absent(link: LinkRow | None) -> bool:
    return link is not None and link.state == "absent"


def _worst(states: set[Shown]) -> Shown:
    return next(one for one in _WORST_FIRST if one in states)


async def is_linked(tx: Tx, core: Core, patient_id: UUID) -> bool:
    """Whether the core knows this person and nobody else by that number."""
    link = await queries.LINK.one(tx, patient_id, core.source_id)
    return link is not None and link.state == "linked"


async def _known(tx: Tx, core: Core, patient_id: UUID) -> tuple[LinkRow | None, list[PartRow]]:
    link = await queries.LINK.one(tx, patient_id, core.source_id)
    return link, await queries.PARTS.all(tx, patient_id, core.source_id) if link else []


def _shown(name: str, state: Shown, as_of: datetime | None) -> CoreShown:
    at = as_of.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y") if as_of else "–"
    vi, en = (text and text.format(name=name, at=at) for text in _NOTICES[state])
    return CoreShown(name=name, state=state, as_of=as_of, notice_vi=vi, notice_en=en)
