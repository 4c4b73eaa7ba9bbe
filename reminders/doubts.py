"""What a reader is told beside a plan: that its person's own times are more or fewer than its text says, that
another active medicine has the same ingredient, and that its kind is switched off."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from ehr.medicine_safety.service import ASK_VI, look
from kernel.access import Access
from reminders.faces import Face
from reminders.models import Kind, Reminder
from reminders.plans import plan_for
from reminders.shown import Doubt
from reminders.switches import service as switches
from reminders.texts import OWN_TIMES_VI, SAME_INGREDIENT_VI
from store.database import Tx

_OVER: Final = frozenset({"ended", "stopped"})


class Doubts(Struct, frozen=True):
    """Of one book. together: medicines of the record of which another active one has an ingredient, and
    nobody said that this is known. off: kinds that are switched off."""

    together: frozenset[str] = frozenset()
    off: frozenset[Kind] = frozenset()


async def doubts_of(tx: Tx, access: Access, rows: Iterable[Reminder], now: datetime) -> Doubts:
    """What there is to tell of these reminders; medicines are looked at as the reader sees them."""
    kinds = {one.kind for one in rows if one.state not in _OVER}
    if not kinds:
        return Doubts()
    off = frozenset(one.kind for one in (await switches.read(tx, access)).items if not one.is_on)
    if "medication" not in kinds:
        return Doubts(off=off)
    looked = await look(tx, access, now)
    found = [
        one for one in looked.found if one.kind == "same-ingredient" and one.key not in looked.dismissals
    ]
    return Doubts(frozenset(line.id for one in found for line in one.medicines), off)


def told_of(one: Reminder, face: Face, doubts: Doubts) -> list[tuple[Doubt, str]]:
    """What of a plan is to be asked about, each with its sentence. Pure."""
    if one.state in _OVER or face.line is None:
        return []
    told: list[tuple[Doubt, str]] = []
    ordered, own = len(plan_for(face.line).times), len(one.times)
    if one.own_times and ordered and ordered != own:
        told.append(("own-times", OWN_TIMES_VI.format(ordered=ordered, own=own)))
    if face.line.line_id in doubts.together:
        told.append(("same-ingredient", f"{SAME_INGREDIENT_VI} {ASK_VI}"))
    return told
