"""Times that were taken or skipped: what still waits to say so is not sent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from family.service import answering_for
from identity.merges.aliases import book_to_tell
from notifications.bulk import stable_id
from notifications.service import withdraw
from reminders.answers import queries
from reminders.passing import notice_id_of
from reminders.unanswered import again
from store.database import Tx
from store.keys import KeyRing


async def lock(tx: Tx, person: UUID, idents: Sequence[UUID]) -> None:
    """Whoever rings these waits for the answer, or the answer for them: one of both sees what the other
    wrote."""
    await queries.LOCK.all(tx, person, sorted(set(idents)))


async def close(tx: Tx, keys: KeyRing, person: UUID, due: Sequence[datetime], now: datetime) -> None:
    """Withdraw the notices of these times, where all that rang at one is answered: the first, the one that
    repeats it, and a guardian's."""
    closed = await queries.CLOSED.all(tx, person, sorted(set(due)))
    if not closed:
        return
    book = await book_to_tell(tx, person, now)
    guardians = await answering_for(tx, keys, book, now)
    gone = list[tuple[UUID, UUID]]()
    for one in closed:
        kind, at = one.kind, one.due_at
        gone += [
            (book, notice_id_of(kind, person, at, book)),
            (book, stable_id(again(kind, person, at, book))),
        ]
        gone += [(guardian, notice_id_of(kind, person, at, book, guardian)) for guardian in guardians]
    await withdraw(tx, gone, now)
