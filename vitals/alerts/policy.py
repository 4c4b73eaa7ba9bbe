"""The machine that turns readings into episodes outside a rule's limits. Pure: the same readings make the
same episodes, in whatever order and pieces they came.

    ok --first one outside--> suspect --confirmed--> an episode --2 readings clear of the limit--> ok
         suspect --a reading inside, or none in time--> ok        --nothing read for long--------> ok

Whether an episode is told, and what of it was told before, is settled after (vitals/alerts/settling.py).
Times are whole microseconds since 1970, values stored integers.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from vitals.alerts.models import CRITICAL, WARN, Measure, Rule, Severity

SECOND: Final = 1_000_000
# A single measurement waits for a second one: the app asks after 5 minutes, and nobody waits longer than 10.
SPOT_US: Final = 600 * SECOND
SPOT_N: Final = 2
CLEAR_N: Final = 2
WEEK_S: Final = 7 * 86_400
# Of these one value says all: it stands for many readings.
WHOLE: Final[frozenset[Measure]] = frozenset({"week-average", "lasting"})

# Where a reading lies.
CLEAR, BETWEEN, OUTSIDE, FAR_OUTSIDE = range(4)


class Reading(NamedTuple):
    """One value as it is judged. is_spot: taken singly (cuff, meter, thermometer, typed in), so that it is
    measured again instead of waited for; is_sensor: of a continuous glucose sensor, late much sooner; lag:
    what the device's clock is behind, microseconds."""

    t: int
    id: UUID
    v: int
    v2: int | None = None
    source: int = 0
    is_spot: bool = False
    is_sensor: bool = False
    lag: int = 0


class Mark(NamedTuple):
    """A reading outside, as an alert keeps it. lag: as of the reading."""

    t: int
    v: int
    v2: int | None
    lag: int = 0


class Episode(Struct):
    """first_t, last_t: of the readings outside; trigger_t: when it was confirmed; closed_t: when it was over,
    None while it is not. fresh_until: until when (by the server's clock) the last one is not late;
    critical_until: the same of the last critical one, None where it never was. marks: what confirmed it. lag:
    of its first reading."""

    first_t: int
    trigger_t: int
    last_t: int
    severity: Severity
    peak_v: int
    peak_v2: int | None
    fresh_until: int
    critical_until: int | None
    marks: list[Mark]
    closed_t: int | None = None
    lag: int = 0


class Machine(Struct):
    """Where a rule stands after some readings. marks: the last ones outside since one that was inside;
    far_marks: the last ones far outside since one that was clear of the limit; waiting: a single critical
    measurement that nothing followed yet, when its waiting ends and until when it is not late; silent_at:
    when silence ends what stands open (all by the server's clock). clear: how many in a row were clear.
    """

    last_t: int | None = None
    silent_at: int = 0
    clear: int = 0
    marks: list[Mark] = []
    far_marks: list[Mark] = []
    waiting: tuple[Mark, int, int] | None = None
    episode: Episode | None = None


class Limits(NamedTuple):
    """A rule's limits turned so that high is outside. clear: a value below it is clear of the limit."""

    sign: int
    out: int | None
    out2: int | None
    far: int | None
    far2: int | None
    at_once: int | None
    clear: int | None
    clear2: int | None
    need: int
    window: int
    need_far: int
    silence: int


@lru_cache(maxsize=1024)
def limits_of(rule: Rule) -> Limits:
    """A change per minute is turned already (vitals/alerts/readings.py: rates)."""
    sign = 1 if rule.measure == "rate" else rule.direction
    is_whole = rule.measure in WHOLE
    out = rule.warn if rule.warn is not None else rule.crit
    out2 = rule.warn2 if rule.warn is not None else rule.crit2
    return Limits(
        sign=sign,
        out=_turned(out, sign),
        out2=_turned(out2, sign),
        far=_turned(rule.crit, sign),
        far2=_turned(rule.crit2, sign),
        at_once=_turned(rule.at_once, sign),
        clear=_clear(out, rule.clear, sign, rule.hysteresis),
        clear2=_clear(out2, rule.clear2, sign, rule.hysteresis),
        need=1 if is_whole else rule.confirm_n,
        window=rule.confirm_s * SECOND,
        need_far=1 if is_whole else rule.crit_confirm_n,
        silence=silence_s(rule) * SECOND,
    )


def silence_s(rule: Rule) -> int:
    """What stands open ends when nothing was read for so long: what comes after is new, and told anew."""
    return (
        WEEK_S if rule.measure == "week-average" else max(rule.stale_after_s, rule.cooldown_s, rule.confirm_s)
    )


def _turned(limit: int | None, sign: int) -> int | None:
    return None if limit is None else limit * sign


def _clear(out: int | None, clear: int | None, sign: int, hysteresis: int) -> int | None:
    if clear is not None:
        return clear * sign + 1
    return None if out is None else out * sign - hysteresis


def place_of(limits: Limits, v: int, v2: int | None) -> int:
    """Where a reading lies: the worse of two values."""
    first = _place(limits.sign * v, limits.out, limits.far, limits.clear)
    if v2 is None or limits.out2 is None:
        return first
    return max(first, _place(limits.sign * v2, limits.out2, limits.far2, limits.clear2))


def _place(x: int, out: int | None, far: int | None, clear: int | None) -> int:
    if far is not None and x >= far:
        return FAR_OUTSIDE
    if out is not None and x >= out:
        return OUTSIDE
    return BETWEEN if clear is not None and x >= clear else CLEAR


def is_outside(rule: Rule, v: int, v2: int | None) -> bool:
    return place_of(limits_of(rule), v, v2) >= OUTSIDE


def feed(rule: Rule, machine: Machine, readings: Iterable[Reading]) -> list[Episode]:
    """Readings in order of (t, id), later than all before. Returns the episodes that ended by them."""
    limits, ended = limits_of(rule), list[Episode]()
    for one in readings:
        if machine.last_t is not None:
            ended += _pass(limits, machine, one.t)
        machine.last_t, machine.waiting = one.t, None
        machine.silent_at = one.t + one.lag + limits.silence
        place = place_of(limits, one.v, one.v2)
        if place >= OUTSIDE:
            _outside(rule, limits, machine, one, place)
            continue
        # Near the limit is normal again for a warning; what was critical waits for a reading clear of it.
        machine.marks = []
        if place == BETWEEN:
            continue
        machine.far_marks = []
        machine.clear += 1
        needed = 1 if rule.measure in WHOLE else CLEAR_N
        if machine.episode is not None and machine.clear >= needed:
            ended.append(_closed(machine, one.t))
    return ended


def finish(rule: Rule, machine: Machine, now: int) -> list[Episode]:
    """What time alone does to a machine after its last reading; the episodes that ended by it. now: by the
    server's clock."""
    if machine.waiting is not None and now >= machine.waiting[1]:
        _take_alone(limits_of(rule), machine)
    if machine.episode is None or now < machine.silent_at or machine.last_t is None:
        return []
    return [_closed(machine, machine.last_t + limits_of(rule).silence)]


def next_look(machine: Machine) -> int | None:
    """When time alone changes something, by the server's clock."""
    if machine.waiting is not None:
        return machine.waiting[1]
    return machine.silent_at if machine.episode is not None else None


def _pass(limits: Limits, machine: Machine, t: int) -> list[Episode]:
    """Time without a reading, up to the next one."""
    last_t = machine.last_t
    assert last_t is not None, "there was one before"
    if machine.waiting is not None and t - last_t > SPOT_US:
        _take_alone(limits, machine)
    if t - last_t <= limits.silence:
        return []
    machine.marks, machine.far_marks = [], []
    return [] if machine.episode is None else [_closed(machine, last_t + limits.silence)]


def _closed(machine: Machine, t: int) -> Episode:
    assert machine.episode is not None, "one stands open"
    ended, machine.episode, machine.clear = machine.episode, None, 0
    ended.closed_t = t
    return ended


def _outside(rule: Rule, limits: Limits, machine: Machine, one: Reading, place: int) -> None:
    mark, kept = Mark(one.t, one.v, one.v2, one.lag), max(limits.need, limits.need_far, SPOT_N)
    machine.clear = 0
    machine.marks = [*machine.marks[1 - kept :], mark] if kept > 1 else [mark]
    if place == FAR_OUTSIDE:
        machine.far_marks = [*machine.far_marks[1 - kept :], mark] if kept > 1 else [mark]
    fresh_until = one.t + one.lag + SECOND * (rule.sensor_stale_s if one.is_sensor else rule.stale_after_s)
    far = _confirming(limits, machine.far_marks, limits.need_far, one) if place == FAR_OUTSIDE else []
    if limits.at_once is not None and limits.sign * one.v >= limits.at_once:
        far = far or [mark]
    _note(
        limits, machine, mark, fresh_until, one.t, far, _confirming(limits, machine.marks, limits.need, one)
    )
    if place == FAR_OUTSIDE and one.is_spot and not far:
        machine.waiting = (mark, one.t + one.lag + SPOT_US, fresh_until)


def _confirming(limits: Limits, marks: list[Mark], need: int, one: Reading) -> list[Mark]:
    """The readings that confirm, this one the last; none while they are too few. A single measurement is
    confirmed by the one before it."""
    window = SPOT_US if one.is_spot else limits.window
    need = min(SPOT_N, need) if one.is_spot else need
    if len(marks) < need or one.t - marks[-need].t > window:
        return []
    return marks[-need:]


def _take_alone(limits: Limits, machine: Machine) -> None:
    """A critical single measurement that nothing followed counts by itself."""
    assert machine.waiting is not None, "one waits"
    (mark, _, fresh_until), machine.waiting = machine.waiting, None
    _note(limits, machine, mark, fresh_until, mark.t + SPOT_US, [mark], [])


def _note(
    limits: Limits,
    machine: Machine,
    mark: Mark,
    fresh_until: int,
    trigger_t: int,
    far: list[Mark],
    near: list[Mark],
) -> None:
    """A reading outside opens an episode where it is confirmed, and goes into the one that is open."""
    episode = machine.episode
    if episode is None and (marks := far or near):
        machine.episode = episode = Episode(
            first_t=marks[0].t,
            trigger_t=trigger_t,
            last_t=mark.t,
            severity=CRITICAL if far else WARN,
            peak_v=mark.v,
            peak_v2=mark.v2,
            fresh_until=fresh_until,
            critical_until=None,
            marks=marks,
            lag=marks[0].lag,
        )
        for one in marks:
            _reach(limits, episode, one)
    if episode is None:
        return
    _reach(limits, episode, mark)
    episode.last_t = mark.t
    episode.fresh_until = max(episode.fresh_until, fresh_until)
    is_far = place_of(limits, mark.v, mark.v2) == FAR_OUTSIDE
    if far and episode.severity == WARN:
        episode.severity, episode.marks = CRITICAL, far
    if far or (is_far and episode.severity == CRITICAL):
        episode.critical_until = max(episode.critical_until or 0, fresh_until)


def _reach(limits: Limits, episode: Episode, mark: Mark) -> None:
    if limits.sign * mark.v > limits.sign * episode.peak_v:
        episode.peak_v = mark.v
    if mark.v2 is not None and limits.sign * mark.v2 > limits.sign * (episode.peak_v2 or mark.v2):
        episode.peak_v2 = mark.v2
