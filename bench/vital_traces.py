"""Events that must be told, written by hand, and what must not be: each with when; a table of docs/vitals.md.

Limits are the default ones of an adult, the unconfirmed ones too; minutes count from the first reading.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from bench.vital_burden import Watch, adult_rules
from vitals.alerts.models import AlertRow
from vitals.alerts.policy import Reading
from vitals.alerts.readings import Stored
from vitals.alerts.settling import micros
from vitals.kinds import KINDS, stored

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Point = tuple[float, float] | tuple[float, float, float]
# Readings that a probe that fell off sends.
OFF: Final = 0.0


class MustAlert(NamedTuple):
    """points: minute and value (and diastolic). arrive: at which minute each arrives; empty: when it is
    measured. opens: between which minutes the alert must begin, None: never. severity: the highest that it
    reaches. alerts: how many there are in all."""

    name: str
    kind: str
    unit: str
    points: Sequence[Point]
    opens: tuple[float, float] | None
    severity: Literal[0, 1, 2]
    alerts: int = 1
    by: Literal["watch", "cgm", "cuff", "thermometer"] = "watch"
    arrive: Sequence[float] = ()


def every(step: float, values: Sequence[float], start: float = 0) -> list[Point]:
    return [(start + step * place, value) for place, value in enumerate(values)]


def line(first: float, last: float, n: int) -> list[float]:
    return [first + (last - first) * place / (n - 1) for place in range(n)]


def _glucose(
    name: str,
    values: Sequence[float],
    opens: tuple[float, float] | None,
    severity: Literal[0, 1, 2],
    unit: str = "mmol/L",
) -> MustAlert:
    return MustAlert(name, "glucose", unit, every(5, values), opens, severity, int(opens is not None), "cgm")


# 6.0 falls by 0.1 every 5 minutes: below 3.9 at minute 110. By 0.6: below 3.9 at 20, below 3.0 at 30.
_SLOW, _FAST = line(6.0, 3.4, 27), line(6.0, 1.8, 8)
_SPO2: Final = ("spo2", "%")
_HEART: Final = ("heart-rate", "/min")
TRACES: Final[tuple[MustAlert, ...]] = (
    _glucose("slow fall", _SLOW, (110, 115), 1),
    _glucose("fast fall", _FAST, (20, 25), 2),
    _glucose("fast fall below critical", [5.0, 2.9, 2.8, 2.7], (5, 10), 2),
    _glucose("steep rise", [9, 12, 15, 17, 18, 19, 19], (10, 15), 2),
    _glucose("plateau on the limit, mg/dL", [70.0] * 12, None, 0, "mg/dL"),
    _glucose("plateau one beyond the limit, mg/dL", [69.0] * 12, (0, 5), 1, "mg/dL"),
    _glucose("plateau on the limit", [13.9] * 12, None, 0),
    _glucose("plateau one beyond the limit", [14.0] * 12, (0, 5), 1),
    MustAlert("slow fall", *_SPO2, every(1, line(98, 92, 61)), (41, 44), 2),
    MustAlert("fast fall", *_SPO2, every(1, [97, 97, 91, 88, 86, 85]), (2, 3), 2),
    MustAlert("plateau on the limit", *_SPO2, every(1, [94.0] * 60), None, 0, 0),
    MustAlert("plateau one beyond the limit", *_SPO2, every(1, [93.9] * 60), (0, 2), 1),
    MustAlert("step", *_HEART, every(1, [72] * 10 + [150] * 10), (10, 11), 2),
    MustAlert("step down", *_HEART, every(1, [60] * 10 + [36] * 10), (10, 11), 2),
    MustAlert("plateau on the limit", *_HEART, every(1, [100.0] * 60), None, 0, 0),
    MustAlert("plateau one beyond the limit", *_HEART, every(1, [100.1] * 60), (0, 2), 1),
    MustAlert(
        "a gap before it is confirmed", *_SPO2, [(0, 97), (1, 93.5), *every(1, [93.5] * 5, 25)], (25, 27), 1
    ),
    MustAlert("a gap while it lasts", *_SPO2, [*every(1, [93.5] * 5), *every(1, [93.5] * 5, 40)], (0, 2), 1),
    MustAlert(
        "a gap that ends it", *_SPO2, [*every(1, [93.5] * 5), *every(1, [93.5] * 5, 110)], (0, 2), 1, 2
    ),
    MustAlert(
        "out of order", *_SPO2, [(3, 93.2), (0, 97), (2, 93.3), (1, 93.4)], (4, 4), 1, arrive=(4, 4, 4, 4)
    ),
    MustAlert(
        "out of order over three batches",
        *_SPO2,
        [(3, 93.2), (1, 93.4), (2, 93.3)],
        (9, 9),
        1,
        arrive=(4, 6, 9),
    ),
    MustAlert(
        "backlog that still goes on", *_SPO2, every(1, [93.5] * 121), (121, 121), 1, arrive=[121] * 121
    ),
    MustAlert("backlog that is over", *_SPO2, every(1, [90] * 30), None, 0, 0, arrive=[200] * 30),
    MustAlert(
        "drop-outs inside",
        *_SPO2,
        every(1, [97, OFF, 91, OFF, OFF, 90, OFF, 89, OFF, 88, OFF, OFF, 88]),
        (2, 5),
        2,
    ),
    MustAlert(
        "drop-outs inside, a warning",
        *_SPO2,
        every(1, [97, 93.5, OFF, OFF, 93.5, OFF, 93.5, OFF, 93.5]),
        (1, 6),
        1,
    ),
    MustAlert("only drop-outs", *_SPO2, every(1, [97, OFF, OFF, OFF, OFF, 97]), None, 0, 0),
    MustAlert("drop-outs inside", *_HEART, every(1, [72, OFF, 34, OFF, 33, OFF, OFF, 32, 30]), (2, 4), 2),
    MustAlert("one single outlier", *_HEART, every(1, [72] * 5 + [190] + [72] * 5), None, 0, 0),
    MustAlert("fast breathing", "resp-rate", "/min", every(1, line(16, 40, 25)), (10, 12), 2),
    MustAlert(
        "two that agree", "blood-pressure", "mm[Hg]", [(0, 185, 100), (5, 182, 98)], (5, 5), 2, by="cuff"
    ),
    MustAlert(
        "diastolic alone, twice",
        "blood-pressure",
        "mm[Hg]",
        [(0, 150, 112), (5, 148, 111)],
        (5, 5),
        2,
        by="cuff",
    ),
    MustAlert(
        "one that nothing follows", "blood-pressure", "mm[Hg]", [(0, 185, 100)], (10, 10), 2, by="cuff"
    ),
    MustAlert(
        "a second that disagrees",
        "blood-pressure",
        "mm[Hg]",
        [(0, 185, 100), (5, 150, 90)],
        None,
        0,
        0,
        "cuff",
    ),
    MustAlert("fever, twice", "temperature", "Cel", [(0, 38.6), (6, 38.7)], (6, 6), 1, by="thermometer"),
)


class Played(NamedTuple):
    """opened: at which minute the first alert was told; None: none was. alerts: all that stand."""

    opened: float | None
    severity: int
    alerts: list[AlertRow]


def play(trace: MustAlert) -> Played:
    """Each reading judged as it arrives, and once a minute by the clock, until an hour and a half after."""
    watch = Watch(adult_rules(trace.kind))
    due = arrivals(trace)
    ticks = sorted({minute for minute, _ in due} | {float(n) for n in range(int(due[-1][0]) + 90)})
    for minute in ticks:
        now = START + timedelta(minutes=minute)
        watch.take([one for at_minute, one in due if at_minute == minute], now)
    told = [(row.opened_at - START, row.severity) for word, row in watch.told if word == "opened"]
    alerts = [row for row in watch.alerts.values() if row.status != "retracted"]
    severity = max((row.severity for row in alerts), default=0)
    return Played(told[0][0] / timedelta(minutes=1) if told else None, severity, alerts)


def arrivals(trace: MustAlert) -> list[tuple[float, Stored]]:
    """What passes the gate, with the minute in which it arrives, in that order."""
    kind, found = KINDS[trace.kind], list[tuple[float, Stored]]()
    for place, point in enumerate(trace.points):
        v = stored(kind, point[1], trace.unit)
        v2 = stored(kind, point[2], trace.unit, second=True) if len(point) == 3 else None
        if not isinstance(v, int) or isinstance(v2, str):
            continue
        reading = Reading(
            t=micros(START + timedelta(minutes=point[0])),
            id=UUID(int=place),
            v=v,
            v2=v2,
            is_spot=trace.by in ("cuff", "thermometer"),
            is_sensor=trace.by == "cgm",
        )
        found.append((trace.arrive[place] if trace.arrive else point[0], Stored(reading)))
    return sorted(found, key=lambda pair: pair[0])


def is_met(trace: MustAlert, played: Played) -> bool:
    if trace.opens is None:
        return played.opened is None and len(played.alerts) == trace.alerts
    is_in_time = played.opened is not None and trace.opens[0] <= played.opened <= trace.opens[1]
    return is_in_time and (played.severity, len(played.alerts)) == (trace.severity, trace.alerts)


def table() -> str:
    lines = ["| trace | must begin, minute | began | severity |", "|---|---|---|---|"]
    for trace in TRACES:
        played = play(trace)
        must = "never" if trace.opens is None else f"{trace.opens[0]:g} to {trace.opens[1]:g}"
        began = "–" if played.opened is None else f"{played.opened:g}"
        word = ("–", "warning", "critical")[played.severity]
        lines.append(f"| {trace.kind}: {trace.name} | {must} | {began} | {word} |")
    return "\n".join(lines)
