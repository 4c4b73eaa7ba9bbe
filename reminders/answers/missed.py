"""What a carer's notice of an unanswered time was about: the medicines of that time, and nothing else.

Who acts for the person by the scope `reminders` alone sees nothing of the book. What the notice was made of
is read here under the view that made it (reminders/unanswered.py), so that no line is shown of which nobody
was told (security.md S23), and only of times of which this carer was told.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from reminders import medicines
from reminders import queries as plans
from reminders.answers import queries
from reminders.answers.models import Open
from reminders.answers.policy import CARER_TOLD_AFTER, REPEATS_AFTER
from reminders.faces import Face, Faces, faces_of
from reminders.orders import reading as orders
from reminders.texts import MISSED_VI
from reminders.unanswered import REPEATED, carer_key
from store.database import Tx
from store.keys import KeyRing

# A notice that is opened the next morning still says what it was about.
SHOWN_FOR: Final = timedelta(hours=24)
TIMES_MAX: Final = 100
MEDICINES: Final[Mapping[str, Faces]] = {"prescription": medicines.faces, "order": orders.faces}


class MissedMedicine(Struct, frozen=True, kw_only=True):
    """dosage: the text of the order."""

    title: str
    dosage: list[str]


class MissedTime(Struct, frozen=True, kw_only=True):
    """A time that nobody answered until now. due_at: as the notice names it."""

    due_at: datetime
    medicines: list[MissedMedicine]


class MissedTimes(Struct, frozen=True, kw_only=True):
    """The latest first."""

    items: list[MissedTime]
    notice_vi: str


async def read(tx: Tx, keys: KeyRing, access: Access, view: Access, now: datetime) -> Built:
    """What of the last day nobody answered, of which whoever reads was told. view: what those who care for
    the person may know of; of the own book the access itself."""
    rows = await queries.MISSED.all(
        tx,
        access.patient_id,
        now - SHOWN_FOR,
        now - REPEATS_AFTER - CARER_TOLD_AFTER,
        REPEATED,
        now - CARER_TOLD_AFTER,
        TIMES_MAX,
    )
    if not access.is_own:
        told = set(await queries.GOT.all(tx, access.actor.actor_id, [_key(one) for one in rows]))
        rows = [one for one in rows if _key(one) in told]
    idents = sorted({one.reminder_id for one in rows})
    found = await plans.BY_IDS.all(tx, access.patient_id, idents)
    faces = await faces_of(tx, keys, view, found, now, MEDICINES)
    seen = {ident: face for ident, face in faces.items() if face.line is not None and face.line.is_standing}
    shown = {face.resource for face in seen.values() if face.resource is not None}
    body = MissedTimes(items=missed_times(rows, seen), notice_vi=MISSED_VI)
    return Built(encode(body), sorted(shown))


def missed_times(rows: Iterable[Open], seen: Mapping[UUID, Face]) -> list[MissedTime]:
    """By time, the latest first; a time of which nothing is seen is not there. Pure."""
    by_time: dict[datetime, list[Face]] = {}
    for one in rows:
        if one.reminder_id in seen:
            by_time.setdefault(one.due_at, []).append(seen[one.reminder_id])
    return [
        MissedTime(due_at=due_at, medicines=[_medicine(face) for face in by_time[due_at]])
        for due_at in sorted(by_time, reverse=True)
    ]


def _medicine(face: Face) -> MissedMedicine:
    return MissedMedicine(title=face.title, dosage=face.came_from.text)


def _key(one: Open) -> str:
    return carer_key(one.patient_id, one.due_at)
