"""The gate: each code of a rejection, what is kept of what passes, and clocks that are wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.support.batches import CUFF, WATCH, batch, codes, id_of, read, sample, series, taken, text_of
from tests.support.clock import START
from vitals.accepting import PLANS, accept, clock_of
from vitals.decoding import Decoded, decode
from vitals.ids import content_id
from vitals.kinds import CTX_NUMBERS, KINDS, UNIT_NUMBERS
from vitals.models import FLAG_CLOCK

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(offset: timedelta) -> str:
    return text_of(START + offset)


def pressure(name: object = 0, v: float = 142, v2: float | None = 91, **more: Any) -> dict[str, Any]:
    return sample(name, "blood-pressure", v, **({"u": "mm[Hg]", "v2": v2} | more))


def night(minutes: float, **more: Any) -> dict[str, Any]:
    return sample(0, "sleep", minutes, "min", **({"ctx": "deep", "end": at(timedelta(minutes=90))} | more))


def test_a_sample_is_kept_as_a_whole_number_with_what_was_sent() -> None:
    accepted = taken(pressure(7, s=1, z=-300, ctx="morning", ver=3, u="kPa", v=16, v2=10), birth=None)
    (row,) = accepted.samples
    assert (row.id, row.ver, row.t, row.end_t) == (UUID(id_of(7)), 3, START, None)
    assert (row.v, row.v2, row.kind) == (1200, 750, KINDS["blood-pressure"].number)
    assert (row.source, row.z, row.flags, row.i) == (1, -300, 0, 0)
    assert (row.ctx, row.unit) == (CTX_NUMBERS["morning"], UNIT_NUMBERS["kPa"])
    assert accepted.rejected == []


def test_the_zone_is_vietnams_where_none_is_said_and_times_are_kept_in_utc() -> None:
    (row,) = taken(sample(t="2026-11-21T09:00:00+07:00")).samples
    assert (row.z, row.t, row.t.tzinfo) == (420, START, UTC)
    (record,) = taken(series=[series(t0="2026-11-21T09:00:00+07:00")]).series
    assert (record.z, record.t0, record.t0.tzinfo) == (420, START, UTC)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such kind": (sample(k="mood"), "kind-unknown"),
    "a stored kind's name": (sample(k="hrv-sdnn", u="ms", v=40), "kind-unknown"),
    "no such unit": (sample(u="kg"), "unit-unknown"),
    "a unit in other letters": (sample(u="BPM"), "unit-unknown"),
    "5,000 beats": (sample(v=5000), "implausible"),
    "a probe that is off": (sample(k="spo2", u="%", v=0), "implausible"),
    "101.3 as Celsius": (sample(k="temperature", u="Cel", v=101.3), "implausible"),
    "six minutes ahead": (sample(t=at(5 * MINUTE + timedelta(seconds=1))), "future"),
    "the year 2031": (sample(t="2031-01-01T00:00:00Z"), "future"),
    "the last year": (sample(t="9999-12-31T23:59:59Z"), "future"),
    "before birth": (sample(t="1979-12-31T16:59:59Z"), "too-old"),
    "the first year": (sample(t="0001-01-01T00:00:00+14:00"), "too-old"),
    "no source there": (sample(s=2), "source-index"),
    "a place from the end": (sample(s=-1), "source-index"),
    "a variability of no method": (sample(k="hrv", u="ms", v=40), "context-missing"),
    "sleep of no stage": (night(90, ctx=None), "context-missing"),
    "a context of another kind": (sample(ctx="fasting"), "context-missing"),
    "steps without an end": (sample(k="steps", u="count", v=10), "interval-invalid"),
    "an end before the time": (sample(end=at(-MINUTE)), "interval-invalid"),
    "longer than a day": (
        sample(k="steps", u="1", t=at(-2 * DAY), end=at(-DAY + MINUTE)),
        "interval-invalid",
    ),
    "sleep of another length": (night(45), "interval-invalid"),
    "an interval that ends tomorrow": (sample(k="steps", u="1", v=9, end=at(6 * MINUTE)), "future"),
    "no diastolic value": (pressure(v2=None), "malformed"),
    "a diastolic value above": (pressure(v=90, v2=91), "implausible"),
    "a diastolic value that is equal": (pressure(v=90, v2=90), "implausible"),
    "a diastolic value of nobody": (pressure(v2=19), "implausible"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_pass_costs_itself_and_has_a_code(name: str) -> None:
    item, code = REFUSED[name]
    sleeps = {"now": START + timedelta(minutes=90)} if item["k"] == "sleep" else {}
    accepted = taken(
        sample("before"), item, sample("after"), sent_at=text_of(sleeps.get("now", START)), **sleeps
    )
    assert codes(accepted) == [("samples", 1, code)]
    assert accepted.rejected[0].id == UUID(item["id"])
    assert [row.i for row in accepted.samples] == [0, 2]


def test_what_lies_just_inside_passes() -> None:
    inside = [
        sample(1, t=at(5 * MINUTE)),
        sample(2, t="1979-12-31T17:00:00Z"),
        sample(3, t="1980-01-01T05:00:00Z", z=-300),
        sample(4, k="steps", u="1", v=30_000, t=at(-DAY), end=at(timedelta())),
        sample(5, k="steps", u="1", v=0, end=at(timedelta())),
        pressure(6, v=50, v2=49.9),
        sample(7, v=20, ctx="workout"),
    ]
    assert codes(taken(*inside)) == []
    assert codes(taken(sample(t="1980-01-01T04:59:59Z", z=-300))) == [("samples", 0, "too-old")]
    assert codes(taken(sample(t="1900-01-01T00:00:00Z"), birth=None)) == []
    assert codes(taken(sample(t="1899-12-31T23:59:59Z"), birth=None)) == [("samples", 0, "too-old")]


def test_a_stage_of_sleep_is_as_long_as_its_time_to_the_minute() -> None:
    later = {"now": START + timedelta(hours=2), "sent_at": at(timedelta(hours=2))}
    for minutes in (90, 89.1, 90.9):
        assert codes(taken(night(minutes), **later)) == []
    for minutes in (88.9, 91.1):
        assert codes(taken(night(minutes), **later)) == [("samples", 0, "interval-invalid")]


def test_a_source_that_could_not_be_read_takes_its_items_with_it_and_no_others() -> None:
    accepted = taken(sample(0, s=0), sample(1, s=1), sample(2, s=2), sources=[WATCH, {"app": "x"}, CUFF])
    assert codes(accepted) == [("sources", 1, "malformed"), ("samples", 1, "source-index")]
    assert [accepted.sources[row.source].app for row in accepted.samples] == [WATCH["app"], CUFF["app"]]


def test_a_clock_that_is_behind_or_ahead_is_reckoned_with_and_its_rows_are_marked() -> None:
    """The phone's clock is an hour ahead: what it measured now lies an hour ahead too."""
    ahead = taken(sample(t=at(60 * MINUTE)), sent_at=at(60 * MINUTE))
    assert (codes(ahead), ahead.clock_offset_ms) == ([], -3_600_000)
    assert [(row.t, row.flags) for row in ahead.samples] == [(START + 60 * MINUTE, FLAG_CLOCK)]
    behind = taken(sample(t=at(timedelta())), series=[series(1)], sent_at=at(-60 * MINUTE))
    assert codes(behind) == [("samples", 0, "future"), ("series", 0, "future")]
    for seconds, flags in ((300, 0), (301, FLAG_CLOCK), (-300, 0), (-301, FLAG_CLOCK)):
        sent = read(batch(sample(t=at(-DAY)), sent_at=at(timedelta(seconds=seconds))))
        said = clock_of(START, START, START + timedelta(seconds=seconds))
        accepted = accept(sent, None, START, START, clock=said)
        assert [row.flags for row in accepted.samples] == [flags]


@pytest.mark.parametrize(
    ("ago", "said_ago", "before", "behind"),
    [
        (timedelta(minutes=5), None, None, timedelta(minutes=5)),
        (timedelta(minutes=6), None, None, timedelta()),
        (2 * HOUR, None, timedelta(seconds=3), timedelta(seconds=3)),
        (2 * HOUR, None, 3 * HOUR, 2 * HOUR),
        (2 * HOUR, None, -HOUR, timedelta()),
        (5 * HOUR, 2 * HOUR, timedelta(), 2 * HOUR),
        (5 * HOUR, timedelta(), 2 * HOUR, timedelta()),
        (-HOUR, None, timedelta(), -HOUR),
        (-HOUR, None, 2 * HOUR, -HOUR),
        (50 * HOUR, 50 * HOUR, None, 24 * HOUR),
    ],
)
def test_what_a_batch_waited_is_not_taken_for_its_clock(
    ago: timedelta, said_ago: timedelta | None, before: timedelta | None, behind: timedelta
) -> None:
    said_at = None if said_ago is None else START - said_ago
    assert clock_of(START, START - ago, said_at, before) == behind


def test_a_date_years_ahead_is_no_clock_that_goes_wrong() -> None:
    """What is sent as in 2031 by a phone that says it is 2031 is not stored in 2031."""
    accepted = taken(sample(t="2031-01-01T00:00:00Z"), sent_at="2031-01-01T00:00:00Z")
    assert codes(accepted) == [("samples", 0, "future")]
    assert accepted.clock_offset_ms == -86_400_000
    assert taken(sent_at="0001-01-01T00:00:00+14:00").clock_offset_ms == 0


def test_a_series_is_one_row_with_its_points_in_two_bytes() -> None:
    (row,) = taken(series=[series(3, [71, 72.25, 70], z=60)]).series
    assert (row.step_ms, row.offsets, list(row.values)) == (1000, None, [710, 722, 700])
    assert (row.id, row.t0, row.z, row.source, row.i) == (UUID(id_of(3)), START, 60, 0, 0)
    (row,) = taken(series=[series(3, [71, 72, 70], dt_ms=[0, 1500], t0=at(-MINUTE))]).series
    assert (row.step_ms, list(row.offsets or ())) == (None, [0, 0, 1500])


SHAPES: dict[str, dict[str, Any]] = {
    "no point": series(v=[]),
    "no times": series(step_ms=None),
    "both kinds of times": series(step_ms=1000, dt_ms=[1, 1]),
    "a delta too many": series(dt_ms=[0, 1, 1]),
    "a delta too few": series(dt_ms=[1]),
    "longer than a week": series(v=[71] * 8 * 24 * 60, step_ms=60_001, t0=at(-9 * DAY)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_series_without_a_shape_is_refused(name: str) -> None:
    assert codes(taken(series=[series(1), SHAPES[name]])) == [("series", 1, "series-shape")]


def test_other_reasons_to_refuse_a_series() -> None:
    found = taken(
        series=[
            series(0, k="blood-pressure", u="mmHg"),
            series(1, k="mood"),
            series(2, u="kg"),
            series(3, k="hrv", u="ms"),
            series(4, s=9),
            series(5, [0, 5000]),
            series(6, t0=at(5 * MINUTE - timedelta(seconds=1))),
            series(7, t0="1979-12-31T16:59:59Z"),
            series(8, t0=at(-401 * DAY)),
            series(9, t0="9999-12-31T23:59:59Z"),
            series(10, t0="0001-01-01T00:00:00+14:00"),
            series(11, t0=at(-400 * DAY)),
        ]
    )
    assert codes(found) == [
        ("series", 0, "series-not-allowed"),
        ("series", 1, "kind-unknown"),
        ("series", 2, "unit-unknown"),
        ("series", 3, "context-missing"),
        ("series", 4, "source-index"),
        ("series", 5, "implausible"),
        ("series", 6, "future"),
        ("series", 7, "too-old"),
        ("series", 8, "too-old"),
        ("series", 9, "future"),
        ("series", 10, "too-old"),
    ]
    assert [row.i for row in found.series] == [11]


def test_implausible_points_are_left_out_and_counted() -> None:
    """The others stay at their own times: the first that is left is where the record begins."""
    accepted = taken(
        series=[
            series(0, [0, 71, 5000, 72], t0=at(-MINUTE)),
            series(1, [71, 0, 72], dt_ms=[1500, 700], t0=at(-MINUTE)),
            series(2),
        ]
    )
    assert [(one.i, one.id, one.n) for one in accepted.points_dropped] == [
        (0, UUID(id_of(0)), 2),
        (1, UUID(id_of(1)), 1),
    ]
    first, second, whole = accepted.series
    assert first.t0 == START - MINUTE + timedelta(seconds=1)
    assert (first.step_ms, list(first.offsets or ()), list(first.values)) == (None, [0, 2000], [710, 720])
    assert (list(second.offsets or ()), list(second.values)) == ([0, 2200], [710, 720])
    assert (whole.step_ms, list(whole.values)) == (1000, [710, 710, 720])


def test_points_that_are_no_numbers_are_left_out() -> None:
    """JSON has no NaN; MessagePack has."""
    body = batch(sample(0, v=float("nan")), series=[series(1, [71, float("nan"), float("inf"), 72])])
    found = decode(msgspec.msgpack.encode(body), "msgpack")
    assert isinstance(found, Decoded)
    accepted = accept(found, None, START, START)
    assert codes(accepted) == [("samples", 0, "implausible")]
    assert [list(row.values) for row in accepted.series] == [[710, 720]]
    assert [one.n for one in accepted.points_dropped] == [2]


def test_half_even_holds_for_points_too() -> None:
    values = [1.005, 2.675, 5.625, 5.635]
    (row,) = taken(series=[series(0, values, k="glucose", u="mmol/L")]).series
    assert list(row.values) == [100, 268, 562, 564]


def test_windows_that_remove_are_short_whole_and_of_a_known_kind() -> None:
    def window(**more: Any) -> dict[str, Any]:
        found = {"stream": "hk:sleep", "k": "sleep", "since": at(-7 * DAY), "until": at(timedelta())}
        return found | {"complete": True, "ids": [id_of(1)]} | more

    accepted = taken(
        windows=[
            window(),
            window(k="mood"),
            window(since=at(-7 * DAY - MINUTE)),
            window(until=at(-7 * DAY)),
            window(since="0001-01-01T00:00:00+14:00", until="0001-01-02T00:00:00+14:00"),
            window(complete=False),
            window(ids=[id_of(1)] * 10_001),
        ]
    )
    assert sorted(codes(accepted)) == [
        ("windows", 1, "kind-unknown"),
        ("windows", 2, "interval-invalid"),
        ("windows", 3, "interval-invalid"),
        ("windows", 4, "interval-invalid"),
        ("windows", 6, "malformed"),
    ]
    (row,) = accepted.windows
    assert row.kinds == (14, 15, 16, 17, 18, 19)
    assert (row.since, row.until, list(row.ids)) == (START - 7 * DAY, START, [UUID(id_of(1))])


def test_deletions_and_cursors_are_handed_on() -> None:
    accepted = taken(deleted=[{"id": id_of(1)}, {"id": id_of(2), "ver": 4}], streams={"a": {"cursor": "b"}})
    assert [(row.id, row.ver, row.i) for row in accepted.deleted] == [
        (UUID(id_of(1)), None, 0),
        (UUID(id_of(2)), 4, 1),
    ]
    assert accepted.cursors == {"a": "b"}


def test_every_kind_context_and_unit_has_a_way_through_the_gate() -> None:
    assert {plan.kind.name for plan in PLANS.values()} == set(KINDS)
    assert {(plan.kind.name, unit) for (_, _, unit), plan in PLANS.items()} == {
        (kind.name, unit) for kind in KINDS.values() for unit in kind.accepted
    }


def test_a_device_without_ids_names_the_same_reading_alike() -> None:
    instant = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
    one = content_id("AA:BB:CC", "spo2", instant, 97)
    assert one == content_id("AA:BB:CC", "spo2", instant, 97.0)
    assert str(one) == "beaec3f1-0b75-5998-a4cf-b8b28b8754f6"
    others = {
        content_id("AA:BB:CD", "spo2", instant, 97),
        content_id("AA:BB:CC", "heart-rate", instant, 97),
        content_id("AA:BB:CC", "spo2", instant + 1, 97),
        content_id("AA:BB:CC", "spo2", instant, 97.5),
    }
    assert len(others | {one}) == 5
