"""Charts against a plain Python computation of what was sent."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from api.app import collect_handlers
from store.database import Store
from tests.support.batches import CUFF, WATCH, sample, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.http import bearer
from tests.support.vital_reads import BASE, Book, book_of

PHONE = {"app": "vn.example.phone", "kind": "phone"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    async with book_of(store, clock) as made:
        yield made


def plain(points: list[tuple[datetime, float]], since: datetime, width_s: float) -> list[dict[str, Any]]:
    """Buckets as one would count them by hand."""
    found: dict[int, list[tuple[datetime, float]]] = {}
    for at, value in sorted(points):
        found.setdefault((at - since) // timedelta(seconds=width_s), []).append((at, value))
    return [
        {
            "at": text_of(since + timedelta(seconds=bucket * width_s)),
            "n": len(held),
            "min": min(value for _, value in held),
            "max": max(value for _, value in held),
            "avg": round(fmean(value for _, value in held), 2),
            "first": held[0][1],
            "last": held[-1][1],
        }
        for bucket, held in sorted(found.items())
    ]


def told(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Buckets with their times in one spelling."""
    return [one | {"at": text_of(datetime.fromisoformat(one["at"]))} for one in body["buckets"]]


async def test_readings_and_series_of_a_day_are_bucketed_together(book: Book) -> None:
    since = START - timedelta(hours=6)
    dice = random.Random(7)
    points: list[tuple[datetime, float]] = []
    samples, records = [], []
    for number in range(40):
        at = since + timedelta(seconds=dice.randrange(6 * 3600))
        points.append((at, float(dice.randrange(50, 160))))
        samples.append(sample(f"p{number}", v=points[-1][1], t=text_of(at)))
    for number in range(6):
        # Of one minute, and of more than an hour: by their columns, and opened.
        start, step = since + timedelta(minutes=50 * number), (1, 30)[number % 2]
        values = [float(dice.randrange(50, 160)) for _ in range(150)]
        points += [(start + timedelta(seconds=step * i), value) for i, value in enumerate(values)]
        records.append(series(f"s{number}", values, t0=text_of(start), step_ms=step * 1000))
    await book.keep(*samples, series=records)
    for buckets in (7, 60, 1000):
        body = await book.said("/heart-rate", since=text_of(since), until=text_of(START), buckets=buckets)
        inside = [(at, value) for at, value in points if since <= at < START]
        assert body["made_of"] == "readings"
        assert told(body) == plain(inside, since, body["bucket_seconds"]), buckets


async def test_a_window_cuts_a_series_that_reaches_over_its_ends(book: Book) -> None:
    start = START - timedelta(hours=2)
    values = [60.0 + i for i in range(100)]
    await book.keep(series=[series("long", values, t0=text_of(start), step_ms=60_000)])
    body = await book.said(
        "/heart-rate", since=text_of(start + 10 * MINUTE), until=text_of(start + 20 * MINUTE), buckets=5
    )
    points = [(start + i * MINUTE, value) for i, value in enumerate(values)][10:20]
    assert told(body) == plain(points, start + 10 * MINUTE, body["bucket_seconds"])


async def test_over_two_days_hours_are_read_and_say_the_same(book: Book) -> None:
    since = (START - timedelta(days=5)).replace(minute=0, second=0, microsecond=0)
    dice = random.Random(11)
    points = [
        (since + timedelta(seconds=dice.randrange(5 * 86_400 - 3600)), float(dice.randrange(50, 160)))
        for _ in range(300)
    ]
    await book.keep(*(sample(i, v=value, t=text_of(at)) for i, (at, value) in enumerate(points)))
    body = await book.said("/heart-rate", since=text_of(since), until=text_of(START), buckets=20)
    assert body["made_of"] == "hours"
    assert body["bucket_seconds"] % 3600 == 0
    assert told(body) == plain(points, since, body["bucket_seconds"])


async def test_a_time_without_a_reading_has_no_bucket(book: Book) -> None:
    since = START - timedelta(hours=1)
    for number, at in enumerate((since, since + 50 * MINUTE)):
        await book.keep(sample(number, t=text_of(at)))
    body = await book.said("/heart-rate", since=text_of(since), until=text_of(START), buckets=60)
    assert [one["at"] for one in told(body)] == [text_of(since), text_of(since + 50 * MINUTE)]


async def test_one_reading_through_two_apps_counts_once_and_is_marked(book: Book) -> None:
    at = START - timedelta(hours=1)
    await book.keep(
        sample("own", "glucose", 93, "mg/dL", t=text_of(at), s=0),
        sample("copy", "glucose", 93, "mg/dL", t=text_of(at + timedelta(seconds=1)), s=1),
        sample("later", "glucose", 93, "mg/dL", t=text_of(at + timedelta(seconds=3)), s=1),
        sample("other", "glucose", 94, "mg/dL", t=text_of(at), s=1),
        sources=[WATCH, PHONE],
    )
    body = await book.said("/glucose", since=text_of(at - MINUTE), until=text_of(START))
    assert sum(one["n"] for one in body["buckets"]) == 3
    found = await book.said("/glucose/readings", since=text_of(at - MINUTE), until=text_of(START))
    marked = [(one["value"], one["source_id"], one.get("duplicate", False)) for one in found["items"]]
    kinds = {one["source_id"]: one["kind"] for one in found["sources"]}
    assert [(value, kinds[source], duplicate) for value, source, duplicate in marked] == [
        (93.0, "phone", False),
        (93.0, "phone", True),
        *sorted([(93.0, "watch", False), (94.0, "phone", False)], key=lambda one: one[0] != marked[2][0]),
    ]
    assert {one["unit"] for one in found["items"]} == {"mg/dL"}


async def test_steps_are_never_added_across_sources(book: Book) -> None:
    hour = START.replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    end = {"end": text_of(hour + 10 * MINUTE)}
    later = {"t": text_of(hour + 60 * MINUTE), "end": text_of(hour + 70 * MINUTE)}
    await book.keep(
        sample("w", "steps", 500, "{steps}", t=text_of(hour), s=0, **end),
        sample("p", "steps", 480, "{steps}", t=text_of(hour), s=1, **end),
        sample("p2", "steps", 300, "{steps}", s=1, **later),
        sources=[WATCH, PHONE],
    )
    body = await book.said("/steps", since=text_of(hour), until=text_of(START), buckets=10)
    assert body["made_of"] == "hours"
    assert [one["sum"] for one in body["buckets"]] == [500.0, 300.0]
    days = await book.said("/days", kind="steps")
    assert sum(one["sum"] for one in days["items"]) == 800.0


async def test_blood_pressure_has_both_values(book: Book) -> None:
    at = START - timedelta(minutes=30)
    await book.keep(
        sample(1, "blood-pressure", 142, "mm[Hg]", v2=91, t=text_of(at)),
        sample(2, "blood-pressure", 138, "mm[Hg]", v2=85, t=text_of(at + MINUTE)),
        sources=[CUFF],
    )
    body = await book.said("/blood-pressure", since=text_of(at), until=text_of(START), buckets=1)
    (bucket,) = body["buckets"]
    assert (bucket["min"], bucket["max"], bucket["avg"]) == (138.0, 142.0, 140.0)
    assert (bucket["min2"], bucket["max2"], bucket["avg2"]) == (85.0, 91.0, 88.0)


async def test_the_latest_value_comes_as_it_was_sent(book: Book) -> None:
    at = START - timedelta(minutes=30)
    await book.keep(
        sample("g", "glucose", 93, "mg/dL", t=text_of(at), z=540, ctx="fasting"),
        sample("t", "temperature", 101.3, "[degF]", t=text_of(at), s=1),
        sample("old", "glucose", 180, "mg/dL", t=text_of(at - MINUTE)),
    )
    await book.keep(series=[series("h", [70, 75, 80], t0=text_of(at))])
    body = await book.said("/latest")
    found = {one["kind"]: one for one in body["items"]}
    assert (found["glucose"]["value"], found["glucose"]["unit"], found["glucose"]["ctx"]) == (
        93.0,
        "mg/dL",
        "fasting",
    )
    assert found["glucose"]["at"].endswith("+09:00")
    assert found["temperature"]["value"] == 101.3
    assert (found["heart-rate"]["value"], found["heart-rate"]["source"]["kind"]) == (80.0, "watch")
    assert found["glucose"]["loinc"] == "14743-9"
    cgm = {"app": "vn.example.cgm", "kind": "cgm"}
    await book.keep(sample("cgm", "glucose", 99, "mg/dL", t=text_of(at + MINUTE)), sources=[cgm])
    (sensor,) = (one for one in (await book.said("/latest"))["items"] if one["kind"] == "glucose")
    assert sensor["loinc"] == "105272-9", "a sensor's has a code of its own, as in FHIR"
    assert body["beside"]["self_measured_vi"].startswith("Số tự đo")


async def test_records_come_in_pages_with_each_exactly_once(book: Book) -> None:
    times = [START - timedelta(minutes=number // 2) for number in range(20)]
    await book.keep(*(sample(i, v=60 + i, t=text_of(at)) for i, at in enumerate(times)))
    await book.keep(series=[series("s", t0=text_of(START - 5 * MINUTE))])
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await book.said(
            "/heart-rate/readings",
            limit=4,
            since=text_of(START - 20 * MINUTE),
            until=text_of(START + MINUTE),
            **cursor,
        )
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(seen) == len(set(seen)) == 21


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/heart-beat", {}, "vital-kind-unknown"),
        ("/days", {"kind": "heart-beat"}, "vital-kind-unknown"),
        ("/heart-rate", {"since": "2026-11-21T10:00:00"}, "invalid-field"),
        ("/heart-rate", {"since": "2026-11-21T10:00:00Z", "until": "2026-11-21T10:00:00Z"}, "invalid-field"),
        ("/heart-rate", {"since": "1900-01-01T00:00:00Z"}, "invalid-field"),
        ("/heart-rate", {"until": "0001-01-01T00:00:00Z"}, "invalid-field"),
        ("/heart-rate", {"buckets": 1001}, "invalid-field"),
        ("/heart-rate", {"buckets": 0}, "invalid-field"),
        ("/days", {"kind": "steps", "since": "2020-01-01", "until": "2026-01-01"}, "invalid-field"),
        ("/days", {"kind": "steps", "until": "0001-01-01"}, "invalid-field"),
        ("/week", {"until": "9999-12-31"}, "invalid-field"),
        ("/agp", {"days": 91}, "invalid-field"),
        ("/agp", {"group": "young"}, "invalid-field"),
        ("/bp-home-average", {"days": 31}, "invalid-field"),
        ("/heart-rate/readings", {"cursor": "abc"}, "bad-cursor"),
        ("/heart-rate", {"span": "1"}, "invalid-field"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    book: Book, path: str, params: dict[str, Any], code: str
) -> None:
    answer = await book.get(path, **params)
    assert answer.json()["code"] == code


async def test_a_read_stands_in_the_log_once(book: Book) -> None:
    await book.keep(sample(1, t=text_of(START - MINUTE)))
    for path in ("/latest", "/heart-rate", "/heart-rate/chart.svg", "/week", "/agp", "/bp-home-average"):
        assert (await book.get(path)).status_code == 200, path
    log = await book.client.get("/v1/me/access-log", headers=bearer(book.citizen.token))
    (row,) = log.json()["items"]
    assert row["times"] == 6
    assert "record:vitals:read" in log.text


async def test_an_own_answer_that_has_not_changed_is_no_row_of_the_log(book: Book) -> None:
    await book.keep(sample(1, t=text_of(START - MINUTE)))
    etag = (await book.get("/latest")).headers["etag"]
    held = bearer(book.citizen.token) | {"If-None-Match": etag}
    for _ in range(3):
        assert (await book.client.get(BASE + "/latest", headers=held)).status_code == 304
    log = await book.client.get("/v1/me/access-log?proofs=true", headers=bearer(book.citizen.token))
    assert [row["outcome"] for row in log.json()["items"]] == ["ok"]
    await book.keep(sample(2, t=text_of(START)))
    assert (await book.client.get(BASE + "/latest", headers=held)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/heart-rate", "/heart-rate/chart.svg", "/heart-rate/readings", "/agp", "/agp.svg"]
)
async def test_what_nothing_was_added_to_has_its_etag_all_through_a_minute(
    book: Book, clock: FrozenClock, path: str
) -> None:
    await book.keep(sample(1, t=text_of(START - MINUTE)))
    clock.advance(seconds=60 - START.second - START.microsecond / 1e6)
    first = (await book.get(path)).headers["etag"]
    clock.advance(seconds=59.9)
    held = bearer(book.citizen.token) | {"If-None-Match": first}
    assert (await book.client.get(BASE + path, headers=held)).status_code == 304


async def test_what_was_measured_this_minute_is_there(book: Book) -> None:
    await book.keep(sample(1, t=text_of(START)))
    assert len(told(await book.said("/heart-rate"))) == 1


def test_every_read_of_measurements_takes_the_etag_that_it_gives() -> None:
    """What `read_measured` answers has one: limits and alerts too, for doctors too. Imports have none."""
    without = {
        str(handler.operation_id)
        for handler in collect_handlers(demo=False)
        if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods
        if "vitals" in (handler.tags or ()) and not handler.opt.get("conditional")
    }
    assert without == {"me_vital_imports", "me_vital_import"}


async def test_another_persons_measurements_do_not_show(store: Store, clock: FrozenClock, book: Book) -> None:
    await book.keep(sample(1, t=text_of(START - MINUTE)))
    async with book_of(store, clock) as other:
        assert (await other.said("/latest"))["items"] == []
        headers = bearer(other.citizen.token) | {"X-Patient-Id": str(book.citizen.patient_id)}
        answer = await other.client.get(BASE + "/latest", headers=headers)
        assert answer.json()["code"] == "not-your-book"


def test_the_clock_of_these_tests_is_in_utc() -> None:
    assert START.tzinfo == UTC
