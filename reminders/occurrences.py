"""When a time comes: written once, and told where the person can be told.

Row, notice and the next time are one transaction, and the notice has a key of its own: a worker that dies
leaves all of it undone, and a second run changes nothing. Times that come while a plan is paused, its person
is reported dead or its line is not seen are counted and not told (security.md S18, S23).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ehr.prescriptions.reading import lines_for_plan
from family.service import answering_for
from identity.merges.aliases import book_to_tell
from identity.people import person_card
from kernel.access import Access
from notifications.models import NotificationType
from notifications.service import notify
from reminders import queries
from reminders.models import WAITS, Outcome, Reminder
from reminders.plans import ended
from reminders.policy import RINGS_WITHIN, passed, rings_at
from store.database import Tx
from store.keys import KeyRing

# Times that one tick catches up on after a worker was away; the rest follows at once.
CATCH_UP: Final = 100


class Views(Struct, frozen=True):
    """What a job may read of a book: for the person's own phone, and for the phones of the family."""

    own: Access
    family: Access


async def ring(
    tx: Tx, keys: KeyRing, patient_id: UUID, reminder_id: UUID, views: Views, now: datetime
) -> datetime | None:
    """Do what is due of one plan. Returns when its timer fires again; None where no time follows."""
    before = await queries.LOCK.one(tx, patient_id, reminder_id)
    if before is None or before.state in WAITS or before.next_at is None:
        return None
    if before.next_at > now:
        return rings_at(patient_id, before.next_at)
    one, outcome = before, await _outcome(tx, keys, before, views.own, now)
    for _ in range(CATCH_UP):
        if one.next_at is None or one.next_at > now:
            break
        one = await _pass(tx, keys, one, outcome, views, now)
    if one.next_at is None:
        one = ended(one, "used-up")
        one = replace(one, version=before.version + 1, changed_at=now)
    await queries.save(tx, one)
    return None if one.next_at is None else rings_at(patient_id, one.next_at)


async def _outcome(tx: Tx, keys: KeyRing, one: Reminder, own: Access, now: datetime) -> Outcome:
    """What a time of this plan comes to now, were it not late."""
    if one.state == "paused":
        return "paused"
    if not await is_alive(tx, keys, own.patient_id):
        return "death-reported"
    return "told" if await sees(tx, own, one, now) else "not-seen"


async def is_alive(tx: Tx, keys: KeyRing, patient_id: UUID) -> bool:
    """Whether nobody reported this person's death; an account that is closed stays a living person's."""
    card = await person_card(tx, keys, patient_id)
    return card is not None and card.state not in ("death-reported", "frozen", "erasing")


async def sees(tx: Tx, access: Access, one: Reminder, now: datetime) -> bool:
    """Whether an access sees the line of a medicine's plan, and the line stands; what came from no line is
    seen by whoever the book tells."""
    if one.prescription_id is None:
        return True
    lines = await lines_for_plan(tx, access, one.prescription_id, now)
    return any(line.line == one.line and line.is_standing for line in lines)


async def _pass(
    tx: Tx, keys: KeyRing, one: Reminder, outcome: Outcome, views: Views, now: datetime
) -> Reminder:
    due_at = one.next_at
    assert due_at is not None
    if outcome == "told" and now - due_at >= RINGS_WITHIN:
        outcome = "late"
    if await queries.note(tx, one, due_at, outcome) and outcome == "told":
        await _tell_time(tx, keys, one, due_at, views, now)
    return passed(one, due_at)


async def _tell_time(
    tx: Tx, keys: KeyRing, one: Reminder, due_at: datetime, views: Views, now: datetime
) -> None:
    """Medicines of one time ring once."""
    family = views.family if await sees(tx, views.family, one, now) else None
    key = f"medicine-due:{one.patient_id}:{due_at.isoformat()}"
    ref = {"due_at": due_at.isoformat()}
    await tell(
        tx, keys, one.patient_id, "medicine-due", key, now, due_at + RINGS_WITHIN, ref=ref, family=family
    )


async def tell(
    tx: Tx,
    keys: KeyRing,
    patient_id: UUID,
    what: NotificationType,
    key: str,
    now: datetime,
    until: datetime,
    *,
    ref: dict[str, str],
    family: Access | None,
) -> None:
    """Tell the person, and a child's guardians where the family may know of it (security.md S23)."""
    book = await book_to_tell(tx, patient_id, now)
    await notify(tx, keys, book, what, key, now, until, ref=ref)
    if family is None:
        return
    shown = ref | {"patient_id": str(book), "what": what}
    for guardian in await answering_for(tx, keys, book, now):
        await notify(tx, keys, guardian, "dependent-reminder", key, now, until, ref=shown)
