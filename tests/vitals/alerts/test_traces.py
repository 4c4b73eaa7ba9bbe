"""Events written by hand are told within their confirm window, and nothing else is: by the machine alone, as
docs/vitals.md has it, and by the service, through a database."""

from datetime import timedelta

import pytest

from bench.vital_burden import SIGNS, Trace, Watch, adult_rules, cgm, icu, stored_of
from bench.vital_traces import START, TRACES, MustAlert, Played, arrivals, is_met, play
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.fuzz import FULL
from tests.support.playing import make_service
from tests.support.shared import shared
from vitals.alerts.models import AlertRow
from vitals.alerts.policy import SECOND, is_outside
from vitals.alerts.readings import Stored
from vitals.alerts.settling import at
from vitals.wire import SourceKind

EVERY = pytest.mark.parametrize("trace", TRACES, ids=[f"{one.kind}: {one.name}" for one in TRACES])


@EVERY
def test_each_event_is_told_in_time_and_nothing_else_is(trace: MustAlert) -> None:
    played = play(trace)
    assert is_met(trace, played), (played.opened, played.severity, len(played.alerts))


@EVERY
async def test_the_service_tells_each_event_in_time_and_nothing_else(
    trace: MustAlert, store: Store, clock: FrozenClock
) -> None:
    one = await make_service(store, clock, trace.kind, trace.by)
    due = arrivals(trace)
    # The worker's timers are late by a minute at most.
    ends = {0.0, due[-1][0] + 10, due[-1][0] + 89}
    for minute in sorted({minute for minute, _ in due} | ends):
        now = START + timedelta(minutes=minute)
        await one.take([reading for at_minute, reading in due if at_minute == minute], now)
    alerts = await one.alerts()
    told = min((row.opened_at - START for row in alerts), default=None)
    opened = None if told is None else told / timedelta(minutes=1)
    severity = max((row.severity for row in alerts), default=0)
    assert is_met(trace, Played(opened, severity, alerts)), (opened, severity, len(alerts))


def _said(rows: list[AlertRow]) -> list[tuple[object, ...]]:
    found = [(one.rule_id, one.severity, one.status, one.first_t, one.last_t, one.peak_v) for one in rows]
    return sorted(found, key=repr)


def _recorded() -> dict[str, Trace]:
    """The intensive-care signs and people with a sensor: one of them, all with HEALTHBOOK_COUNTS=full."""
    data = shared("data/vitals")
    people = list(cgm(data).items())[: None if FULL else 1]
    return {sign: icu(*columns, data) for sign, columns in SIGNS.items()} | dict(people)


async def test_recorded_data_makes_the_same_alerts_in_the_service_as_in_the_machine(
    store: Store, clock: FrozenClock
) -> None:
    """What docs/vitals.md counts is what the service does. Each reading outside a limit is a batch of its
    own, and so is each of the two hours after it; what is calm comes together."""
    count = 0
    for name, trace in _recorded().items():
        kept, _ = stored_of(trace)
        rules = adult_rules(trace.kind)
        by: SourceKind = "cgm" if trace.kind == "glucose" else "watch"
        machine, service = Watch(rules), await make_service(store, clock, trace.kind, by)
        waiting, until = list[Stored](), 0
        for one in kept:
            machine.take([one], at(one.reading.t))
            if any(is_outside(rule, one.reading.v, None) for rule in rules):
                until = one.reading.t + 7200 * SECOND
            waiting.append(one)
            if one.reading.t <= until or len(waiting) == 1000:
                await service.take(waiting, at(one.reading.t))
                waiting = []
        await service.take(waiting, at(kept[-1].reading.t))
        assert _said(await service.alerts()) == _said(list(machine.alerts.values())), name
        count += len(machine.alerts)
    assert count > 2


def test_the_traces_hold_every_shape_that_was_asked_for() -> None:
    names = {one.name.split(",")[0] for one in TRACES}
    assert names >= {
        "slow fall",
        "fast fall",
        "step",
        "plateau on the limit",
        "plateau one beyond the limit",
        "a gap while it lasts",
        "out of order",
        "drop-outs inside",
    }
