"""One look at one rule: which times are looked at, and what comes of the readings in them. Pure: the same
stored readings, alerts and hour make the same alerts, in whatever order and pieces the readings came.

Times are whole microseconds since 1970.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from vitals.alerts.joining import join_open, joined
from vitals.alerts.models import AlertRow, Rule
from vitals.alerts.policy import (
    SECOND,
    SPOT_US,
    Episode,
    Machine,
    Reading,
    feed,
    finish,
    is_outside,
    limits_of,
    next_look,
)
from vitals.alerts.readings import SAME_US, Stored, judged
from vitals.alerts.settling import LATE_NOTICE_S, Settled, Situation, Snooze, micros, settle
from vitals.kinds import KINDS
from vitals.models import Touched

_PRESSURE: Final = KINDS["blood-pressure"].number
_TWO_WEEKS_S: Final = 14 * 86_400
EVER: Final = 2**62


class Span(NamedTuple):
    """A stretch of time, both ends in it."""

    since: int
    until: int


class Checkpoint(Struct, frozen=True):
    """The machine of a rule version after all readings from since to t, so that an event of many hours is not
    walked again with each batch. Good for as long as nothing up to t changes; an alert stands all the while,
    so every change is looked at."""

    since: int
    t: int
    ver: int
    set_version: str
    machine: Machine


class Kept(NamedTuple):
    """A checkpoint as it is kept. body: its JSON."""

    since: int
    t: int
    body: str


class Looked(NamedTuple):
    """next_at: when time alone changes something, by the server's clock. kept: for the next look."""

    settled: Settled
    next_at: int | None
    kept: Kept | None


def reach_s(rule: Rule) -> int:
    """How far back readings count that no alert stands for: what is not late, and what confirms that."""
    if rule.measure == "week-average":
        return _TWO_WEEKS_S
    late_s = LATE_NOTICE_S if rule.kind == _PRESSURE else rule.stale_after_s
    return late_s + max(rule.confirm_s, SPOT_US // SECOND) + rule.lasts_s + rule.gap_s


def memory_s(rule: Rule) -> int:
    """How long an alert that is over is looked at again: while it keeps others from beginning."""
    return reach_s(rule) + rule.cooldown_s


def is_concerned(rule: Rule, touched: Touched, now: datetime) -> bool:
    """Whether what was touched can begin an alert of a rule; what stands is another question. Where a point
    changed or went, what is left may be outside at any time, whatever came with it."""
    if touched.is_removal:
        return True
    age = now - touched.until if touched.newest_age is None else touched.newest_age
    if age > timedelta(seconds=reach_s(rule)):
        return False
    if rule.measure != "reading" and touched.v_min is not None:
        return True
    v, v2 = (touched.v_max, touched.v2_max) if rule.direction > 0 else (touched.v_min, touched.v2_min)
    return v is not None and is_outside(rule, v, v2)


def spans_of(rule: Rule, alerts: Iterable[AlertRow], now: datetime) -> list[Span]:
    """The times a look goes through: what is not late, and those of alerts that stand or are touched."""
    start = micros(now) - reach_s(rule) * SECOND
    forgotten = now - timedelta(seconds=memory_s(rule))
    spans = [Span(start, EVER)]
    for one in alerts:
        is_old = one.closed_t is not None and one.closed_at is not None and one.closed_at < forgotten
        until = micros(one.closed_t) if is_old and one.closed_t is not None else EVER
        spans.append(Span(min(micros(one.from_t), start) if not is_old else micros(one.from_t), until))
    return merged(spans)


def resumed(
    rule: Rule, spans: Sequence[Span], checkpoint: Checkpoint | None, since: int
) -> Checkpoint | None:
    """The checkpoint, if a look can go on from it. spans: `spans_of`; since: the first time that changed."""
    if checkpoint is None or (checkpoint.ver, checkpoint.set_version) != (rule.ver, rule.set_version):
        return None
    is_same = checkpoint.since == spans[-1].since and since > checkpoint.t + SAME_US
    return checkpoint if is_same else None


def asked(spans: Sequence[Span], resume: Checkpoint | None) -> list[Span]:
    """What has to be read; from a checkpoint on with what could double its first readings."""
    if resume is None:
        return list(spans)
    return [*spans[:-1], Span(resume.t - SAME_US, EVER)]


def clear_between(rules: Iterable[Rule]) -> tuple[int, int] | None:
    """Values between these two are clear of every limit of the rules; None where rules are about more than
    single values."""
    low, high = -EVER, EVER
    for rule in rules:
        limits = limits_of(rule)
        if rule.measure != "reading" or limits.clear is None:
            return None
        low, high = (low, min(high, limits.clear)) if limits.sign > 0 else (max(low, -limits.clear), high)
    return low, high


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times, in order and apart."""
    found = list[Span]()
    for one in sorted(spans):
        if found and one.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, one.until))
        else:
            found.append(one)
    return found


def look(
    patient_id: UUID,
    rule: Rule,
    stored: Sequence[Stored],
    moving: Sequence[tuple[int, int]],
    alerts: Sequence[AlertRow],
    snooze: Snooze | None,
    now: datetime,
    make_id: Callable[[], UUID],
    resume: Checkpoint | None = None,
) -> Looked:
    """stored: at least what lies in `asked`; alerts: all of the rule that stand or are touched."""
    readings = judged(rule, stored, moving)
    *old, main = spans_of(rule, alerts, now)
    episodes = list[Episode]()
    for span in old:
        episodes += _walk(rule, Machine(), _within(readings, span), now)
    machine, rest = Machine(), _within(readings, main)
    if resume is not None:
        machine, rest = resume.machine, [one for one in rest if one.t > resume.t]
    settled_t = micros(now) - reach_s(rule) * SECOND
    ended = join_open(rule, feed(rule, machine, [one for one in rest if one.t <= settled_t]), machine)
    kept = None if ended else _kept(rule, machine, main.since, settled_t)
    episodes += ended + _walk(rule, machine, [one for one in rest if one.t > settled_t], now)
    here = Situation(patient_id, rule, snooze, now, make_id)
    return Looked(settle(here, joined(rule, episodes), alerts), next_look(machine), kept)


def _walk(rule: Rule, machine: Machine, readings: Iterable[Reading], now: datetime) -> list[Episode]:
    """All episodes to the end of the readings, the open one last."""
    found = feed(rule, machine, readings) + finish(rule, machine, micros(now))
    return found + ([machine.episode] if machine.episode is not None else [])


def _kept(rule: Rule, machine: Machine, since: int, t: int) -> Kept | None:
    """Only of an event that still goes on and began before what is looked at anyway."""
    if machine.episode is None or since >= t or rule.measure != "reading":
        return None
    checkpoint = Checkpoint(since, t, rule.ver, rule.set_version, machine)
    return Kept(since, t, msgspec.json.encode(checkpoint).decode())


def _within(readings: Iterable[Reading], span: Span) -> list[Reading]:
    """What a clock that runs behind says of itself is earlier than it was."""
    return [one for one in readings if span.since <= one.t + max(one.lag, 0) and one.t <= span.until]
