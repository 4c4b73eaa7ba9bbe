"""Results stacked by test, and one test over time as a picture. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import groupby, pairwise
from math import ceil, floor, log10
from typing import Any, Final

from msgspec import Struct

from api.pages.citizen.entries_view import Entry
from api.pages.formats import day, number
from api.pages.pictures import data_address
from documents.charts import MEDIA_TYPE, Axis, Band, Chart, Mark, Point, draw
from kernel.clock import VIETNAM
from kernel.text import fold

DAY_SECONDS: Final = 86_400
# Larger than anything that is measured: it stands in the table, and the lines of a picture can be reckoned.
_DRAWN_MAX: Final = 10**15
_ROOM: Final = 0.08
_LINES: Final = 6
_TICKS: Final = 5
_STEPS: Final = (1, 2, 5, 10)
_NOON: Final = time(12)
_FOOT_VI: Final = "Vùng xanh: khoảng tham chiếu của chính lần xét nghiệm đó"
_FOOT_EN: Final = "Green: the reference range valid at that very test"


class Test(Struct, frozen=True):
    """One test: its newest result, and the older ones of this page. Other units are another test."""

    title: str
    newest: Entry
    older: list[Entry]


class Drawn(Struct, frozen=True):
    """A value that can be drawn. text: its digits as sent; low, high: of the range that was valid then."""

    at: datetime
    text: str
    value: float
    low: float | None
    high: float | None


class Drawing(Struct, frozen=True):
    """One series of a test with its picture; picture: empty where nothing can be drawn."""

    series: dict[str, Any]
    picture: str
    words: str


def by_test(results: Iterable[Entry]) -> list[Test]:
    """Results of one test in one unit together, the test with the newest result first."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for one in results:
        key = (one.get("code_system"), one.get("code") or fold(one["title"]), one.get("unit"))
        found.setdefault(key, []).append(one)
    return [Test(group[0]["title"], group[0], group[1:]) for group in found.values()]


def drawing_of(series: dict[str, Any], *, english: bool) -> Drawing:
    """One series of the contract's trend as a picture with its words."""
    points = drawn_points(series)
    if not points:
        return Drawing(series, "", "")
    drawn = draw(chart_of(series, points, english=english))
    words = words_of(points, series["unit"] or "", english=english)
    return Drawing(series, data_address(MEDIA_TYPE, drawn), words)


def drawn_points(series: dict[str, Any]) -> list[Drawn]:
    """The points of a series that have a number and a day, the oldest first. A month or a year alone, `<5`
    and words stand in the table."""
    found = []
    for one in series["points"]:
        at, value = _instant(one), _number(one["value"])
        if at is not None and value is not None:
            bounds = one.get("range") or {}
            is_same = bounds.get("unit") in (None, series["unit"])
            low, high = (_number(bounds.get(side)) if is_same else None for side in ("low", "high"))
            found.append(Drawn(at, one["value"], value, low, high))
    return sorted(found, key=lambda point: point.at)


def chart_of(series: dict[str, Any], points: Sequence[Drawn], *, english: bool) -> Chart:
    """The picture of one series: its values, and behind each the range that was valid at that result. No name
    of the test stands in it (security.md S35). points: at least one."""
    x, y = _time_axis(points), _value_axis(points, series["unit"] or "")
    return Chart(
        title=f"{points[0].at:%d/%m/%Y} – {points[-1].at:%d/%m/%Y}",
        x=x,
        y=y,
        bands=_bands(points, x, y),
        curves=[],
        marks=[Mark(at=(one.at.timestamp(), one.value)) for one in points],
        foot=_FOOT_EN if english else _FOOT_VI,
        lines=[f"{one.at:%d/%m/%Y}: {number(one.text)}" for one in points[-8:]],
    )


def words_of(points: Sequence[Drawn], unit: str, *, english: bool) -> str:
    """What the picture shows, for who cannot see it."""
    first, last = points[0], points[-1]
    before, after = f"{number(first.text)} {unit}".strip(), f"{number(last.text)} {unit}".strip()
    if len(points) == 1:
        return f"{'One value' if english else 'Một lần đo'}: {after}, {day(last.at)}."
    if english:
        return f"{len(points)} values, from {before} on {day(first.at)} to {after} on {day(last.at)}."
    return f"{len(points)} lần đo, từ {before} ngày {day(first.at)} đến {after} ngày {day(last.at)}."


def _instant(point: dict[str, Any]) -> datetime | None:
    if point.get("date_precision") not in ("instant", "day"):
        return None
    text = point["date"]
    found = datetime.fromisoformat(text) if "T" in text else datetime.combine(date.fromisoformat(text), _NOON)
    return found if found.tzinfo else found.replace(tzinfo=VIETNAM)


def _number(text: Any) -> float | None:
    try:
        found = Decimal(str(text))
    except ArithmeticError:
        return None
    return float(found) if found.is_finite() and -_DRAWN_MAX < found < _DRAWN_MAX else None


def _time_axis(points: Sequence[Drawn]) -> Axis:
    first, last = points[0].at.timestamp(), points[-1].at.timestamp()
    room = max((last - first) * _ROOM, DAY_SECONDS)
    step = max((last - first) / (_TICKS - 1), 1)
    count = _TICKS if last - first >= _TICKS * DAY_SECONDS else 1
    ticks = [first + step * place for place in range(count)]
    named = [(at, f"{datetime.fromtimestamp(at, VIETNAM):%d/%m/%y}") for at in ticks]
    return Axis(label="", low=first - room, high=last + room, step=step, ticks=named)


def _value_axis(points: Sequence[Drawn], unit: str) -> Axis:
    values = [one.value for one in points]
    values += [side for one in points for side in (one.low, one.high) if side is not None]
    low, high = min(values), max(values)
    spread = high - low or abs(high) or 1.0
    step = _step(spread / _LINES)
    return Axis(
        label=unit, low=floor(low / step - 0.5) * step, high=ceil(high / step + 0.5) * step, step=step
    )


def _step(rough: float) -> float:
    size = 10.0 ** floor(log10(rough))
    return next(part for part in _STEPS if part * size >= rough * (1 - 1e-9)) * size


def _bands(points: Sequence[Drawn], x: Axis, y: Axis) -> list[Band]:
    """Each range from halfway to the result before to halfway to the next, equal neighbours as one; none
    where none was given."""
    at = [one.at.timestamp() for one in points]
    ends = [x.low, *((left + right) / 2 for left, right in pairwise(at)), x.high]
    found = []
    for (low, high), group in groupby(
        range(len(points)), lambda place: (points[place].low, points[place].high)
    ):
        if low is None and high is None:
            continue
        places = list(group)
        sides = ends[places[0]], ends[places[-1] + 1]
        bottom, top = y.low if low is None else low, y.high if high is None else high
        found.append(Band(lower=_line(sides, bottom), upper=_line(sides, top), tone="middle"))
    return found


def _line(sides: tuple[float, float], value: float) -> list[Point]:
    return [(sides[0], value), (sides[1], value)]
