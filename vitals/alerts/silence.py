"""Devices that measure all the time and give nothing any more: said once to whoever asked for it (a rule's
`no_data_s`), and over as soon as data come, late ones too.

What counts is when the newest reading was measured, by the server's clock, and not what it says. The sums of
hours know that of every source, so no reading is opened. Most people ask for none of this: then no statement
is made.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from kernel.ids import bucket_of, uuid7
from store.database import Tx
from store.due_queue import schedule
from vitals.alerts import queries
from vitals.alerts.models import WARN, AlertRow, Rule
from vitals.alerts.settling import Settled, Snooze, begun, closed

# The timer of a kind; its ref is person and kind.
JOB: Final = "vital-silence"
# Sources that measure by themselves, as long as they are worn. Everything else waits for somebody.
CONTINUOUS: Final = ("watch", "band", "strap", "oximeter", "cgm")
# Nobody is told of a silence that nobody looked at for so long.
LATE: Final = timedelta(days=1)
# The longest time that can be asked for, that, and a clock that is a day off.
_BACK: Final = timedelta(days=4)


class Heard(NamedTuple):
    """next_at: when it is silent for too long, should nothing come."""

    settled: Settled
    next_at: datetime | None


async def listen(
    tx: Tx,
    patient_id: UUID,
    kind: int,
    rules: Iterable[Rule],
    alerts: Iterable[AlertRow],
    now: datetime,
    into: Settled,
) -> None:
    """rules, alerts: about no data, of any kind. Arms its own timer."""
    mine = [one for one in rules if one.kind == kind]
    standing = [one for one in alerts if one.kind == kind and one.closed_at is None]
    wanted = {one.rule_id for one in mine}
    into.changed += [closed(one, now) for one in standing if one.rule_id not in wanted]
    if not mine:
        return
    newest = await queries.NEWEST.one(tx, patient_id, kind, list(CONTINUOUS), now - _BACK)
    states = {one.rule_id: one for one in await queries.STATES.all(tx, patient_id)}
    times = list[datetime]()
    for rule in mine:
        open_ = next((one for one in standing if one.rule_id == rule.rule_id), None)
        state = states.get(rule.rule_id)
        until = None if state is None else state.snooze_until
        snooze = None if until is None else Snooze(until)
        heard = hear(patient_id, rule, newest, open_, snooze, now, partial(uuid7, now))
        into.take(heard.settled)
        times += [] if heard.next_at is None else [heard.next_at]
    if times:
        await schedule(tx, bucket_of(patient_id), min(times), JOB, f"{patient_id}:{kind}")


def hear(
    patient_id: UUID,
    rule: Rule,
    newest: queries.Newest | None,
    standing: AlertRow | None,
    snooze: Snooze | None,
    now: datetime,
    make_id: Callable[[], UUID],
) -> Heard:
    """What becomes of one rule. Pure. standing: its alert that is not over."""
    if newest is None:
        return Heard(Settled(), None)
    due_at = newest.heard_at + timedelta(seconds=rule.no_data_s)
    if now < due_at:
        over = [] if standing is None else [replace(closed(standing, now), closed_t=newest.t)]
        return Heard(Settled(changed=over), due_at)
    if standing is None and now > due_at + LATE:
        return Heard(Settled(), None)
    silent_until = snooze.warn_until if snooze is not None and snooze.holds(WARN, now) else None
    if standing is not None:
        return _goes_on(standing, newest, silent_until)
    made = _begun(patient_id, rule, newest, now, make_id)
    if silent_until is not None:
        return Heard(Settled(changed=[replace(made, status="acked")]), silent_until)
    return Heard(Settled(opened=[made]), None)


def _goes_on(standing: AlertRow, newest: queries.Newest, silent_until: datetime | None) -> Heard:
    """Late data may lie in it. What began in somebody's silence is told when that is over."""
    moved = replace(standing, last_t=max(standing.last_t, newest.t))
    is_untold = standing.status == "acked" and standing.acked_at is None
    if is_untold and silent_until is None:
        return Heard(Settled(worsened=[replace(moved, status="active")]), None)
    return Heard(Settled(changed=[] if moved == standing else [moved]), silent_until if is_untold else None)


def _begun(
    patient_id: UUID, rule: Rule, newest: queries.Newest, now: datetime, make_id: Callable[[], UUID]
) -> AlertRow:
    """first_t, last_t, peak_v: of the last reading there is."""
    times = newest.heard_at, newest.t, newest.t
    made = begun(patient_id, make_id(), rule, WARN, times, (newest.v, None), now)
    return replace(made, inputs=f'{{"no_data_s": {rule.no_data_s}}}')
