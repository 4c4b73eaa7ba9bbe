"""How many alerts real data makes: a table of docs/vitals.md (`python -m bench.vital_alerts` prints it).

Readings come one by one, each judged as it arrives, as a batch of one would be. The data has no labels of
true events: this shows burden, not sensitivity (tests/vitals/alerts/test_traces.py shows that).
"""

import csv
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from kernel.ids import uuid7
from vitals.alerts.defaults import by_name, default_rules
from vitals.alerts.looking import look
from vitals.alerts.models import AlertRow, Rule
from vitals.alerts.policy import SECOND, Reading, is_outside
from vitals.alerts.readings import Stored
from vitals.alerts.settling import at, micros
from vitals.kinds import KINDS, stored

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "vitals"
PERSON: Final = UUID(int=1)
SIGNS: Final = {
    "heart rate": ("HR [bpm]", "heart-rate", "/min"),
    "SpO2": ("SpO2 [%]", "spo2", "%"),
    "resp rate": ("RESP [pm]", "resp-rate", "/min"),
}
ADULT: Final = "1980-01-01"


class Burden(NamedTuple):
    """readings: that passed the gate; gated: that did not; every: outside a limit; entries: from inside to
    outside; alerts: by the machine; days: of the person or persons."""

    name: str
    readings: int
    gated: int
    every: int
    entries: int
    alerts: int
    days: float


class Trace(NamedTuple):
    """Raw values of one kind, in their unit."""

    kind: str
    unit: str
    values: list[tuple[datetime, float]]


def adult_rules(kind: str) -> list[Rule]:
    """All default limits of an adult, the unconfirmed ones too: what would be if they were in force."""
    rules = default_rules(ADULT, datetime(2026, 1, 1, tzinfo=UTC).date(), frozenset(by_name()))
    return [rule for rule in rules if rule.kind == KINDS[kind].number and rule.measure == "reading"]


class Watch:
    """One person's readings of one kind, judged as they come, in memory."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.stored = list[Stored]()
        self.alerts = dict[UUID, AlertRow]()
        self.told = list[tuple[str, AlertRow]]()

    def take(self, arrived: Sequence[Stored], now: datetime) -> None:
        """A batch, or none: then the clock alone. What touches neither a limit nor an alert is not looked at,
        as in vitals/alerts/judging.py."""
        for one in arrived:
            insort(self.stored, one, key=_time)
        for rule in self.rules:
            known = [one for one in self.alerts.values() if one.rule_id == rule.rule_id and _stands(one, now)]
            is_outside_it = any(is_outside(rule, one.reading.v, one.reading.v2) for one in arrived)
            if known or is_outside_it or not arrived:
                self._look(rule, known, now)

    def _look(self, rule: Rule, known: Sequence[AlertRow], now: datetime) -> None:
        since = min([micros(now) - 4 * 3600 * SECOND, *(micros(one.from_t) for one in known)])
        recent = self.stored[bisect_left(self.stored, since, key=_time) :]
        settled = look(PERSON, rule, recent, (), known, None, now, partial(uuid7, now)).settled
        for word in ("opened", "worsened", "retracted", "changed"):
            for row in getattr(settled, word):
                self.alerts[row.alert_id] = row
                self.told.append((word, row))


def _time(one: Stored) -> int:
    return one.reading.t


def _stands(alert: AlertRow, now: datetime) -> bool:
    is_recent = alert.closed_at is None or now - alert.closed_at < timedelta(hours=4)
    return alert.status != "retracted" and is_recent


def stored_of(trace: Trace) -> tuple[list[Stored], int]:
    """What passes the gate, in stored integers; and how many values did not."""
    kind, kept, gated = KINDS[trace.kind], list[Stored](), 0
    is_sensor = trace.kind == "glucose"
    for number, (t, value) in enumerate(trace.values):
        v = stored(kind, value, trace.unit)
        if isinstance(v, int):
            kept.append(Stored(Reading(micros(t), UUID(int=number), v, is_sensor=is_sensor)))
        else:
            gated += 1
    return kept, gated


def burden_of(name: str, trace: Trace) -> Burden:
    rules = adult_rules(trace.kind)
    kept, gated = stored_of(trace)
    watch = Watch(rules)
    for one in kept:
        watch.take([one], at(one.reading.t))
    raw = [(t, value) for t, value in trace.values]
    outside = [any(is_outside(rule, one.reading.v, None) for rule in rules) for one in kept]
    entries = sum(now and not before for before, now in zip([False, *outside], outside, strict=False))
    days = (raw[-1][0] - raw[0][0]) / timedelta(days=1)
    return Burden(name, len(kept), gated, sum(outside), entries, len(watch.alerts), days)


def icu(column: str, kind: str, unit: str, data: Path = DATA) -> Trace:
    """32 hours of an intensive-care monitor, one row a minute; 0 is a probe that fell off."""
    path = next((data / "mimic-numerics").glob("*31n.csv"))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open() as lines:
        rows = [(start + timedelta(seconds=float(row["t_s"])), row[column]) for row in csv.DictReader(lines)]
    return Trace(kind, unit, [(t, float(value)) for t, value in rows if value])


def cgm(data: Path = DATA) -> dict[str, Trace]:
    """Glucose of 13 people, by person."""
    people = dict[str, Trace]()
    for path in sorted((data / "cgm").glob("*.csv")):
        with path.open() as lines:
            for row in csv.DictReader(lines):
                trace = people.setdefault(row["id"], Trace("glucose", "mg/dL", []))
                trace.values.append(
                    (datetime.fromisoformat(row["time"]).replace(tzinfo=UTC), float(row["gl"]))
                )
    for trace in people.values():
        trace.values.sort()
    return people


def measured(data: Path = DATA) -> list[Burden]:
    rows = [burden_of(f"ICU 32 h, {sign}", icu(*columns, data)) for sign, columns in SIGNS.items()]
    each = [burden_of(name, trace) for name, trace in cgm(data).items()]
    total = [sum(column) for column in zip(*(one[1:] for one in each), strict=True)]
    return [*rows, Burden(f"CGM, {len(each)} people", *[int(n) for n in total[:-1]], total[-1])]


def table(rows: Iterable[Burden]) -> str:
    lines = [
        "| data | readings | gate refused | every breach | on entry | alerts | a day |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in rows:
        a_day = f"{one.alerts / one.days:.2f}"
        lines.append(
            f"| {one.name} | {one.readings:,} | {one.gated:,} | {one.every:,} | {one.entries:,}"
            f" | {one.alerts:,} | {a_day} |"
        )
    return "\n".join(lines)
