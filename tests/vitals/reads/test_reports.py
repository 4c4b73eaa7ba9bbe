"""Reports and pictures over HTTP, of measurements that came through the real way."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from math import pi, sin
from typing import Any
from xml.etree import ElementTree

import pytest

from kernel.clock import VIETNAM, start_of_day
from store.database import Store
from tests.support.batches import sample, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.vital_reads import Book, book_of

CGM = {"app": "vn.example.cgm", "kind": "cgm"}
METER = {"app": "vn.example.meter", "kind": "meter"}
# An app that passes on what a meter without a name measured.
APP = {"app": "vn.example.diary", "kind": "phone"}
HAND = {"app": "vn.example.book", "kind": "manual", "method": "manual"}
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SVG = "{http://www.w3.org/2000/svg}"
TODAY = START.astimezone(VIETNAM).date()


@pytest.fixture
async def book(store: Store, clock: FrozenClock) -> AsyncIterator[Book]:
    async with book_of(store, clock) as made:
        yield made


def glucose(day: int, *, low: int = 70, high: int = 180) -> dict[str, Any]:
    """A whole day of a sensor, so many days ago."""
    values = [round((low + high) / 2 + (high - low) / 2 * sin(i * pi / 144)) for i in range(288)]
    start = start_of_day(TODAY - day * DAY)
    return series(
        f"g{day}", [float(one) for one in values], k="glucose", u="mg/dL", t0=text_of(start), step_ms=300_000
    )


async def test_fourteen_days_of_a_sensor_make_a_profile(book: Book) -> None:
    await book.keep(series=[glucose(day) for day in range(1, 15)], sources=[CGM])
    body = await book.said("/agp")
    profile = body["profile"]
    assert (profile["readings"], profile["days"], profile["sufficient"]) == (14 * 288, 14, True)
    assert profile["shares"] == {
        "in_range": 100.0,
        "below": 0.0,
        "very_low": 0.0,
        "above": 0.0,
        "very_high": 0.0,
    }
    assert len(profile["slots"]) == 96
    assert [(one["what"], one["met"]) for one in body["goals"]] == [
        ("in_range", True),
        ("below", True),
        ("cv", True),
    ]
    assert body["sufficient_vi"] is None


async def test_a_sensor_through_two_apps_counts_once(book: Book) -> None:
    whole = [glucose(day) for day in range(1, 9)]
    twice = [one | {"id": f"{i:08x}-0000-4000-8000-000000000000", "s": 1} for i, one in enumerate(whole)]
    await book.keep(series=[*whole, *twice], sources=[CGM, CGM | {"app": "com.apple.health"}])
    profile = (await book.said("/agp"))["profile"]
    assert (profile["readings"], profile["sufficient"]) == (8 * 288, False)
    assert profile["coverage"] < 60


@pytest.mark.parametrize("kept", [range(1, 14), [*range(1, 9), 14]])
async def test_too_few_days_or_readings_are_not_judged(book: Book, kept: Any) -> None:
    await book.keep(series=[glucose(day) for day in kept], sources=[CGM])
    body = await book.said("/agp")
    assert body["profile"]["sufficient"] is False
    assert (body["goals"], body["profile"]["readings"]) == ([], 288 * len(kept))
    assert "14 ngày" in body["sufficient_vi"]


async def test_a_finger_prick_and_a_typed_value_are_not_the_sensors(book: Book) -> None:
    at = START - timedelta(hours=1)
    await book.keep(
        sample(1, "glucose", 93, "mg/dL", t=text_of(at), s=0),
        sample(2, "glucose", 300, "mg/dL", t=text_of(at + MINUTE), s=1),
        sample(3, "glucose", 300, "mg/dL", t=text_of(at + 2 * MINUTE), s=2),
        sample(4, "glucose", 300, "mg/dL", t=text_of(at + 3 * MINUTE), s=3),
        sources=[CGM, METER, HAND, APP],
        series=[series(5, [300.0, 300.0], k="glucose", u="mg/dL", t0=text_of(at), step_ms=60_000, s=3)],
    )
    body = await book.said("/agp")
    assert (body["profile"]["readings"], body["profile"]["mean"]) == (1, 93.0)


async def test_each_group_has_its_own_range(book: Book) -> None:
    await book.keep(series=[glucose(day, low=60, high=150) for day in range(1, 15)], sources=[CGM])
    found = {group: await book.said("/agp", group=group) for group in ("standard", "older", "pregnancy")}
    assert {group: (body["low"], body["high"]) for group, body in found.items()} == {
        "standard": (70, 180),
        "older": (70, 180),
        "pregnancy": (63, 140),
    }
    shares = {group: body["profile"]["shares"]["below"] for group, body in found.items()}
    assert shares["standard"] == shares["older"] > shares["pregnancy"]
    assert {one["what"]: one["met"] for one in found["older"]["goals"]}["below"] is False


def pressures(days: int) -> list[dict[str, Any]]:
    found = []
    for day in range(days):
        for hour, minute in ((7, 0), (7, 1), (20, 0), (20, 2)):
            at = start_of_day(TODAY - (6 - day) * DAY) + timedelta(hours=hour, minutes=minute)
            if at < START:
                values: dict[str, Any] = {"v": 130 + day, "v2": 80 + day, "t": text_of(at)}
                found.append(sample(f"{day}-{hour}-{minute}", "blood-pressure", u="mm[Hg]", **values))
    return found


async def test_a_week_at_home_is_averaged_without_its_first_day(book: Book) -> None:
    await book.keep(*pressures(6))
    body = await book.said("/bp-home-average")
    average = body["average"]
    assert (average["days"], average["complete_days"], average["discarded"]) == (6, 6, 4)
    assert (average["systolic"], average["diastolic"], average["sufficient"]) == (133.0, 83.0, True)
    assert average["hypertensive_range"] is False
    assert "dưới 135/85" in body["text_vi"]


async def test_two_days_at_home_are_too_few(book: Book) -> None:
    await book.keep(*pressures(2))
    body = await book.said("/bp-home-average")
    assert (body["average"]["sufficient"], body["average"]["hypertensive_range"]) == (False, None)
    assert "7 ngày" in body["text_vi"]


async def test_a_pressure_through_two_apps_counts_once(book: Book) -> None:
    await book.keep(*pressures(6))
    twice = [one | {"id": one["id"][::-1], "s": 1} for one in pressures(6)]
    twice = [one | {"id": f"{i:08x}-0000-4000-8000-000000000000"} for i, one in enumerate(twice)]
    await book.keep(*twice)
    body = await book.said("/bp-home-average")
    assert (body["average"]["discarded"], body["average"]["averaged"]) == (4, 20)


async def test_a_week_stands_beside_the_week_before(book: Book) -> None:
    steps = [
        sample(
            day,
            "steps",
            1000 * (day + 1),
            "{steps}",
            t=text_of(start_of_day(TODAY - day * DAY) + timedelta(hours=1)),
            end=text_of(start_of_day(TODAY - day * DAY) + timedelta(hours=2)),
        )
        for day in range(14)
    ]
    await book.keep(*steps)
    (week,) = (await book.said("/week"))["items"]
    assert (week["this"]["days"], week["this"]["day_sum"]) == (7, 4000.0)
    assert (week["before"]["days"], week["before"]["day_sum"]) == (7, 11000.0)
    assert week["this"]["since"] == str(TODAY - 6 * DAY)


async def test_a_day_is_that_of_the_samples_own_zone(book: Book) -> None:
    """Late in the evening in New York is the next day in Vietnam."""
    at = datetime.fromisoformat("2026-11-10T23:30:00-05:00")
    await book.keep(
        sample("ny", "weight", 60, "kg", t=at.isoformat(), z=-300),
        sample("vn", "weight", 61, "kg", t=at.isoformat(), z=420),
    )
    body = await book.said("/days", kind="weight", since="2026-11-10", until="2026-11-11")
    assert [(one["day"], one["avg"]) for one in body["items"]] == [("2026-11-11", 61.0), ("2026-11-10", 60.0)]
    only = await book.said("/days", kind="weight", since="2026-11-10", until="2026-11-10")
    assert [one["avg"] for one in only["items"]] == [60.0]


async def test_sleep_of_two_sources_is_not_added_up(book: Book) -> None:
    night = start_of_day(TODAY)
    two = [("a", 0, 60, 0), ("b", 70, 50, 0), ("c", 5, 110, 1)]
    await book.keep(
        *(
            sample(
                name,
                "sleep",
                long,
                "min",
                ctx="asleep",
                t=text_of(night + start * MINUTE),
                end=text_of(night + (start + long) * MINUTE),
                s=source,
            )
            for name, start, long, source in two
        ),
        sources=[{"app": "w", "kind": "watch"}, {"app": "p", "kind": "phone"}],
    )
    (day,) = (await book.said("/days", kind="sleep-asleep"))["items"]
    assert day["sum"] == 110.0


async def drawn(book: Book, path: str, **params: Any) -> ElementTree.Element:
    answer = await book.get(path, **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    return ElementTree.fromstring(answer.content)


def traces(root: ElementTree.Element) -> list[int]:
    """Points of each measured line."""
    found = root.iter(f"{SVG}polyline")
    return [len((one.get("points") or "").split()) for one in found if one.get("class") == "trace"]


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


async def test_a_picture_says_of_which_days_it_is(book: Book) -> None:
    await book.keep(sample("hr", t=text_of(START - timedelta(hours=1))))
    since, until = start_of_day(TODAY - DAY), start_of_day(TODAY)
    day, days = f"{TODAY - DAY:%d/%m/%Y}", f"{TODAY - DAY:%d/%m/%Y} - {TODAY:%d/%m/%Y}"
    root = await drawn(book, "/heart-rate/chart.svg", since=text_of(since), until=text_of(until))
    assert f"Nhịp tim, {day}" in texts(root)
    root = await drawn(book, "/heart-rate/chart.svg", since=text_of(since), until=text_of(until + MINUTE))
    assert f"Nhịp tim, {days}" in texts(root)
    assert f"{TODAY:%d/%m}" in texts(root), "midnight carries the day's name"


async def test_sums_are_bars_of_whole_days_and_no_line_joins_them(book: Book) -> None:
    def walked(at: datetime, count: int) -> dict[str, Any]:
        return sample(text_of(at), "steps", count, "{steps}", t=text_of(at), end=text_of(at + 5 * MINUTE))

    morning = start_of_day(TODAY - 3 * DAY) + timedelta(hours=7)
    await book.keep(
        walked(morning, 900), walked(morning + timedelta(hours=9), 100), walked(morning + DAY, 500)
    )
    span = {"since": text_of(morning - DAY), "until": text_of(morning + 2 * DAY)}
    root = await drawn(book, "/steps/chart.svg", **span)
    bars = [one.get("points") or "" for one in root.iter(f"{SVG}polygon") if one.get("class") == "bar"]
    heights = [float(bar.split()[0].split(",")[1]) - float(bar.split()[-1].split(",")[1]) for bar in bars]
    assert [round(height / heights[1]) for height in heights] == [2, 1]
    assert (traces(root), "bước, tổng mỗi 1 ngày" in texts(root)) == ([], True)
    day = {"since": text_of(morning), "until": text_of(morning + timedelta(hours=12))}
    assert "bước, tổng mỗi 1 giờ" in texts(await drawn(book, "/steps/chart.svg", **day))


async def test_what_lies_behind_is_whole_though_no_value_comes_near(book: Book) -> None:
    at = START - timedelta(hours=1)
    await book.keep(
        sample("g", "glucose", 6, "mmol/L", t=text_of(at)),
        sample("bp", "blood-pressure", 110, "mm[Hg]", v2=70, t=text_of(at)),
    )
    root = await drawn(book, "/glucose/chart.svg")
    ends = [one.text or "" for one in root.iter(f"{SVG}text") if one.get("text-anchor") == "end"]
    ticks = [float(text.replace(",", ".")) for text in ends if text.replace(",", "").isdigit()]
    assert min(ticks) <= 3.89
    assert max(ticks) >= 9.99
    assert {"135", "85"} <= set(texts(await drawn(book, "/blood-pressure/chart.svg")))


async def test_marks_stand_only_where_there_is_room_for_them(book: Book) -> None:
    since = START - 30 * DAY
    week = (sample(i, t=text_of(START - 7 * DAY + i * timedelta(hours=3))) for i in range(56))
    await book.keep(*week, sample("alone", t=text_of(since + DAY)))
    root = await drawn(book, "/heart-rate/chart.svg", since=text_of(since), until=text_of(START))
    assert len(list(root.iter(f"{SVG}circle"))) == 1, "the one without a neighbour"


async def test_a_gap_is_drawn_as_a_gap(book: Book) -> None:
    since = START - timedelta(hours=10)
    await book.keep(
        *(
            sample(number, t=text_of(since + number * 2 * MINUTE))
            for number in range(300)
            if not 100 <= number < 200
        )
    )
    span = {"since": text_of(since), "until": text_of(START)}
    assert traces(await drawn(book, "/heart-rate/chart.svg", **span)) == [100, 100]


async def test_an_extreme_of_one_second_is_drawn(book: Book) -> None:
    since = START - timedelta(hours=20)
    values = [70.0] * 20_000
    values[12_345] = 240.0
    await book.keep(series=[series("s", values, t0=text_of(since))])
    root = await drawn(book, "/heart-rate/chart.svg", since=text_of(since), until=text_of(START))
    ends = (one.text or "" for one in root.iter(f"{SVG}text") if one.get("text-anchor") == "end")
    ticks = [float(text) for text in ends if text.isdigit()]
    assert max(ticks) >= 240
    (spread,) = (one for one in root.iter(f"{SVG}polygon") if one.get("class") == "spread")
    heights = {float(point.split(",")[1]) for point in (spread.get("points") or "").split()}
    assert len(heights) == 2, "all but one second lies on one height"


async def test_a_reference_lies_behind_what_has_one(book: Book) -> None:
    at = START - timedelta(hours=1)
    await book.keep(
        *(sample(i, "glucose", v, "mmol/L", t=text_of(at + i * MINUTE)) for i, v in enumerate((3, 12))),
        sample("bp", "blood-pressure", 150, "mm[Hg]", v2=70, t=text_of(at)),
        sample("hr", t=text_of(at)),
    )
    classes = {}
    for kind in ("glucose", "blood-pressure", "heart-rate"):
        root = await drawn(book, f"/{kind}/chart.svg")
        classes[kind] = {one.get("class") for one in root.iter()} & {"middle", "near"}
    assert classes == {"glucose": {"middle"}, "blood-pressure": {"near"}, "heart-rate": set()}


async def test_the_profile_is_drawn_with_its_percentiles(book: Book) -> None:
    await book.keep(series=[glucose(day) for day in range(1, 15)], sources=[CGM])
    root = await drawn(book, "/agp.svg")
    assert traces(root) == [96]
    bands = [one.get("class") for one in root.iter(f"{SVG}polygon")]
    assert bands == ["middle", "spread", "inner"]


@pytest.mark.parametrize(
    "path", ["/agp.svg", "/heart-rate/chart.svg", "/steps/chart.svg", "/blood-pressure/chart.svg"]
)
async def test_without_a_value_a_picture_says_so(book: Book, path: str) -> None:
    root = await drawn(book, path)
    assert traces(root) == []
    said = next(root.iter(f"{SVG}desc")).text or ""
    assert "Chưa có số đo" in said
    assert "115" in said
    assert any("Chưa có số đo" in text for text in texts(root)), "whoever sees the picture reads it too"
