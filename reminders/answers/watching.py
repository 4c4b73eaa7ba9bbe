"""Whose answers are waited for: one timer for all of a bucket whose times came in one minute."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from kernel.ids import bucket_of
from reminders.answers.policy import CARER_TOLD_AFTER, REPEATS_AFTER
from store.database import Tx
from store.due_queue import arm

JOB: Final = "reminder-unanswered"
MINUTE: Final = timedelta(minutes=1)
_NOBODY: Final = UUID(int=0)

Step = Literal["repeat", "carer"]


class Sweep(Struct, frozen=True, kw_only=True):
    """One look at a bucket's times of a minute. after: people up to this one were looked at. of: what tells
    two looks of one minute apart."""

    bucket: int
    minute: datetime
    step: Step
    of: str = ""
    after: UUID = _NOBODY

    @property
    def mark(self) -> str:
        return "|".join((str(self.bucket), self.minute.isoformat(), self.step, self.of, str(self.after)))


def sweep_of(mark: str) -> Sweep:
    bucket, minute, step, of, after = mark.split("|")
    return Sweep(
        bucket=int(bucket),
        minute=datetime.fromisoformat(minute),
        step="repeat" if step == "repeat" else "carer",
        of=of,
        after=UUID(after),
    )


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


async def arm_sweep(tx: Tx, one: Sweep, at: datetime) -> None:
    await arm(tx, one.bucket, at, JOB, one.mark)


async def watch(tx: Tx, told: Iterable[tuple[UUID, datetime]], now: datetime) -> None:
    """Times that were told now are asked after. told: whose, and when it was due."""
    for bucket, minute in sorted({(bucket_of(person), minute_of(at)) for person, at in told}):
        await arm_sweep(tx, Sweep(bucket=bucket, minute=minute, step="repeat"), now + REPEATS_AFTER)


async def watch_again(tx: Tx, person: UUID, due_at: datetime, rang_at: datetime) -> None:
    """A time that was put off rang again: it is not repeated, and a carer is told where nobody answers."""
    one = Sweep(
        bucket=bucket_of(person), minute=minute_of(due_at), step="carer", of=minute_of(rang_at).isoformat()
    )
    await arm_sweep(tx, one, rang_at + CARER_TOLD_AFTER)
