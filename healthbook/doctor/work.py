"""What should have been done by now: retention, events, messages, answers that people are owed."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from audit.protection.service import ending
from consent.emergency_reviews import service as reviews
from consent.reports import service as reports
from healthbook.doctor import queries
from healthbook.doctor.findings import Finding
from healthbook.housekeeping import CHORES, EVERY, KIND
from healthbook.metrics.gauges import SET_ASIDE_ATTEMPTS
from notifications.status import read_status
from store.database import Tx
from store.due_queue import due_until

LATE_MAX: Final = 100
# Longer than any timer waits for its turn while a worker runs.
TIMER_LATE: Final = timedelta(minutes=30)
MESSAGE_LATE: Final = timedelta(minutes=15)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


async def late_retention(tx: Tx, now: datetime) -> list[Finding]:
    """Chores that remove what has ended: each has its timer, and none is late."""
    armed = {one.ref: one.due_at for one in await queries.CHORES.all(tx, KIND)}
    late = [one.name for one in CHORES if one.name in armed and now - armed[one.name] > EVERY]
    never = [one.name for one in CHORES if one.name not in armed]
    if not late and not never:
        return []
    return [
        Finding(
            name="retention-late",
            what=f"{len(late)} chores are late and {len(never)} were never armed: "
            f"{', '.join((late + never)[:8])}.",
            why="What has ended is kept longer than the law and our own terms allow (docs/retention.md).",
            do="See that a worker runs; what fails is named in its log as tick_failed with "
            "kind=housekeeping.",
        )
    ]


async def late_timers(tx: Tx, now: datetime) -> list[Finding]:
    """Timers of any kind that nobody takes: no worker runs, or one kind fails."""
    late: dict[str, timedelta] = {}
    for one in await due_until(tx, now - TIMER_LATE):
        if one.kind != KIND:
            late[one.kind] = max(late.get(one.kind, timedelta(0)), now - one.due_at)
    if not late:
        return []
    said = ", ".join(f"{kind} ({age.total_seconds() / 3600:.1f} h)" for kind, age in sorted(late.items())[:8])
    return [
        Finding(
            name="timers-late",
            what=f"Timers are late: {said}.",
            why="Reminders, alerts and terms of law hang on them.",
            do="Start a worker, or more of them; one kind alone: its lines tick_failed and job_failed say "
            "why.",
        )
    ]


async def failing_events(tx: Tx) -> list[Finding]:
    """Events that were tried eight times or more."""
    found = await queries.SET_ASIDE.all(tx, SET_ASIDE_ATTEMPTS)
    if not found:
        return []
    return [
        Finding(
            name="events-set-aside",
            what="Events fail again and again: "
            + ", ".join(f"{one.event} ({one.count})" for one in found)
            + ".",
            why="Nothing is lost, but whoever should have been told has not been.",
            do="The lines event_failed of the worker's log name the error; after the cause is mended they "
            "go by "
            "themselves within the hour.",
        )
    ]


async def stuck_messages(tx: Tx, now: datetime) -> list[Finding]:
    """Messages that wait too long, and those that ended without having left."""
    status = await read_status(tx, now)
    oldest = min((one.oldest for one in status.waiting if one.oldest), default=now)
    found = []
    if now - oldest > MESSAGE_LATE:
        found.append(
            Finding(
                name="messages-late",
                what=f"A message should have left {(now - oldest).total_seconds() / 60:.0f} minutes ago.",
                why="Codes and requests are good for minutes.",
                do="`healthbook notifications status` shows which way is shut.",
            )
        )
    if status.dead:
        found.append(
            Finding(
                name="messages-dead",
                what=f"{status.dead} messages of the last day did not leave and should have.",
                why="People were not told of a request, a result or a dose.",
                do="`healthbook notifications dead-letters`, mend the cause, `healthbook notifications "
                "retry`.",
            )
        )
    return found


async def late_answers(tx: Tx, now: datetime) -> list[Finding]:
    """What facilities owe people and are late with: the lists wait for somebody to look (S24)."""
    counts = {
        "emergency-reviews": len(await reviews.overdue(tx, (_EVER, UUID(int=0)), LATE_MAX, now)),
        "access-reports": len(await reports.overdue_reports(tx, None, LATE_MAX, now)),
    }
    return [
        Finding(
            name="answers-late",
            what=f"Late on GET /v1/department/{name}: {count} (at most {LATE_MAX} are counted).",
            why="People are owed these answers within a term; the facility has let it pass (S24).",
            do="Tell the department.",
        )
        for name, count in counts.items()
        if count
    ]


async def ending_protections(tx: Tx, now: datetime) -> list[Finding]:
    """Protection ends by itself after a year, and the name is shown from then on (S27)."""
    return [
        Finding(
            name="protection-ends",
            what=f"Protection of practitioner {one.practitioner_id} ends on {one.protected_until:%Y-%m-%d}.",
            why="From then on people's logs show the name again (S27).",
            do="Renew it with two privacy officers or operators, or let the name be shown.",
        )
        for one in await ending(tx, now, LATE_MAX)
    ]
