"""What operators ask of the queue of messages and send again."""

from datetime import timedelta
from uuid import UUID

import msgspec

from healthbook.commands import Signed, sign_act
from kernel.clock import SystemClock
from notifications.models import DeadLetter
from notifications.status import Status, dead_letters, read_status, retry_dead
from store.database import Store

LETTERS_MAX = 200


async def status_text(store: Store, as_json: bool) -> str:
    async with store.transaction() as tx:
        status = await read_status(tx, SystemClock().now())
    return msgspec.json.encode(status).decode() if as_json else "\n".join(_lines(status))


async def letters_text(store: Store, as_json: bool) -> str:
    async with store.transaction() as tx:
        letters = await dead_letters(tx, SystemClock().now(), LETTERS_MAX)
    if as_json:
        return msgspec.json.encode(letters).decode()
    return "\n".join(map(_letter, letters)) or "Nothing died in the last day."


async def retry_letters(store: Store, ids: list[UUID], signed: Signed) -> tuple[str, bool]:
    """Send them again. Returns what to say, and whether every one that was named went."""
    now = SystemClock().now()
    async with store.transaction() as tx:
        count = await retry_dead(tx, ids, now)
        await sign_act(tx, signed, "notifications:retry", count)
    left = len(set(ids)) - count
    if left <= 0:
        return f"{count} sent again", True
    which = (
        "1 of those named is no dead letter" if left == 1 else f"{left} of those named are no dead letters"
    )
    return f"{count} sent again; {which} of the last day that can still be sent", False


def _lines(status: Status) -> list[str]:
    lines = [f"{'WAITING':<9}{'type':<28}{'status':<10}{'count':>9}{'due':>9}  oldest"]
    for one in status.waiting:
        age = _seconds(status.at - one.oldest) if one.oldest is not None else "-"
        lines.append(f"{one.channel:<9}{one.type:<28}{one.status:<10}{one.count:>9}{one.due:>9}  {age}")
    lines += ["", f"{'24 HOURS':<9}{'type':<28}{'became':<10}{'count':>9}{'p50':>9}{'p99':>9}  why"]
    for end in status.ended:
        late = f"{end.late_p50:>8.1f}s{end.late_p99:>8.1f}s"
        why = end.error_code or ""
        lines.append(f"{end.channel:<9}{end.type:<28}{end.status:<10}{end.count:>9}{late}  {why}".rstrip())
    return [*lines, "", f"dead letters: {status.dead}"]


def _letter(one: DeadLetter) -> str:
    return (
        f"{one.delivery_id}  {one.channel:<5} {one.type:<26} {one.status:<8} {one.error_code:<18}"
        f" attempts {one.attempts}, ended {one.settled_at:%Y-%m-%d %H:%M:%S}Z"
    )


def _seconds(age: timedelta) -> str:
    return f"{max(0, int(age.total_seconds()))}s"
