"""A kind of reminder is on until its person switches it off: then its times go by untold, and no phone sets
an alarm for them."""

from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from msgspec import Struct

from kernel.access import Access
from kernel.problems import Refused
from reminders.models import Kind
from reminders.switches import queries
from reminders.switches.problems import NO_SUCH_KIND
from store.database import Tx

ALL_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class KindSwitch(Struct, frozen=True, kw_only=True):
    """off_at: since when it is off; null while it is on."""

    kind: Kind
    is_on: bool
    off_at: datetime | None


class KindSwitches(Struct, frozen=True, kw_only=True):
    items: list[KindSwitch]


async def read(tx: Tx, access: Access) -> KindSwitches:
    """Every kind, on or off."""
    off = {one.kind: one.off_at for one in await queries.OFF.all(tx, access.patient_id)}
    return KindSwitches(items=[_shown(kind, off.get(kind)) for kind in ALL_KINDS])


async def switch(tx: Tx, access: Access, kind: str, wanted: bool, now: datetime) -> KindSwitch | Refused:
    """Switch a kind of the book; the same again changes nothing. Refused: no-such-reminder-kind."""
    known = next((one for one in ALL_KINDS if one == kind), None)
    if known is None:
        return Refused(problem=NO_SUCH_KIND)
    for person in (access.patient_id, *sorted(access.origins)):
        if wanted:
            await queries.set_on(tx, person, known)
        else:
            await queries.set_off(tx, person, known, now)
    return next(one for one in (await read(tx, access)).items if one.kind == known)


async def is_on(tx: Tx, patient_id: UUID, kind: Kind) -> bool:
    return all(one.kind != kind for one in await queries.OFF.all(tx, patient_id))


def _shown(kind: Kind, off_at: datetime | None) -> KindSwitch:
    return KindSwitch(kind=kind, is_on=off_at is None, off_at=off_at)
