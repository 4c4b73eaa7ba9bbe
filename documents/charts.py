"""The one writer of SVG charts: built as XML from numbers and our own words, never from markup.

A chart has no script, names no address and follows the reader's light or dark. Texts of a record never stand
in one (security.md S35); whatever text is given is cleaned like paper. It is drawn for a phone: across 340 px
its smallest text is 12 px high, so that a desk may show it larger and nobody has to.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final, Literal, TypeAlias
from xml.etree import ElementTree

from msgspec import Struct

from documents.plain import plain

Point: TypeAlias = tuple[float, float]
Tone: TypeAlias = Literal["median", "near", "far"]
MEDIA_TYPE: Final = "image/svg+xml"
_WIDTH: Final = 440
_PLOT: Final = 264
_LEFT: Final = 60
_RIGHT: Final = 32
_EDGE: Final = 10
# Heights of lines of text, and how wide a sign of each size is on average.
_TEXT: Final = 16
_LINE: Final = 21
_SIGN: Final = 8.2
_TITLE_LINE: Final = 24
_TITLE_SIGN: Final = 9.8
_GAP: Final = 8
_NOTE_SIGNS: Final = 36
_TEXT_MAX: Final = 90
_LINES_MAX: Final = 12
_TICKS_MAX: Final = 40
_STYLE: Final = """
:root{color-scheme:light dark}
.paper{fill:#fff}.text{fill:#1b2733;font:16px sans-serif}.title{font-size:18px;font-weight:600}
.grid{stroke:#d5dde4;stroke-width:1}.middle{fill:#cfe8d5}.watch{fill:#fbe6b4}
.spread{fill:#0b5c7a;fill-opacity:.16}.inner{fill:#0b5c7a;fill-opacity:.28}.bar{fill:#0b5c7a;fill-opacity:.8}
.far{fill:none;stroke:#a8201a;stroke-width:1.5}.near{fill:none;stroke:#9a6b00;stroke-width:1.5}
.median{fill:none;stroke:#2f7d46;stroke-width:2}.trace{fill:none;stroke:#0b5c7a;stroke-width:1.5}
.mark{fill:#0b5c7a;stroke:#0b5c7a;stroke-width:2}.own{fill:#fff}
@media (prefers-color-scheme:dark){
.paper{fill:#14191f}.text{fill:#e4e9ee}.grid{stroke:#38434e}.middle{fill:#1e3d29}.watch{fill:#4a3c14}
.far{stroke:#ff8a80}.near{stroke:#e0b44c}.median{stroke:#7bd193}.trace{stroke:#7cc7e8}
.spread{fill:#7cc7e8;fill-opacity:.22}.inner{fill:#7cc7e8;fill-opacity:.36}.bar{fill:#7cc7e8}
.mark{fill:#7cc7e8;stroke:#7cc7e8}.own{fill:#14191f}}
"""


class Axis(Struct, frozen=True, kw_only=True):
    """From where to where, with a line at every step. label: what is measured and in which unit. ticks:
    places with their own words (times of day, dates), where lines stand instead of at every step."""

    label: str
    low: float
    high: float
    step: float
    ticks: list[tuple[float, str]] = []


class Band(Struct, frozen=True, kw_only=True):
    """A region between two lines of points, left to right."""

    lower: list[Point]
    upper: list[Point]
    tone: Literal["middle", "watch", "spread", "inner", "bar"]


class Curve(Struct, frozen=True, kw_only=True):
    """A line, of one point or more, with its name at the right end."""

    points: list[Point]
    name: str
    tone: Tone


class Mark(Struct, frozen=True, kw_only=True):
    """One measurement. hollow: by the family's own word."""

    at: Point
    hollow: bool = False


class Chart(Struct, frozen=True, kw_only=True):
    """lines: what the picture says in words, for who can't see it. traces: measured lines, each without a
    gap: where one ends and the next begins, nothing was measured; None: one line through all marks.
    note: a sentence in the middle, where there is nothing else to see."""

    title: str
    x: Axis
    y: Axis
    bands: list[Band]
    curves: list[Curve]
    marks: list[Mark]
    foot: str
    lines: list[str]
    traces: list[list[Point]] | None = None
    note: str = ""


def draw(chart: Chart) -> bytes:
    """The picture in UTF-8. What lies outside the axes is drawn at their edge; words that would run into
    others are left out beside a line, and go on in a new line elsewhere."""
    title = wrap(plain(chart.title, _TEXT_MAX), int((_WIDTH - 2 * _EDGE) / _TITLE_SIGN))
    foot = wrap(plain(chart.foot, _TEXT_MAX), int((_WIDTH - 2 * _EDGE) / _SIGN))
    top = _EDGE + len(title) * _TITLE_LINE + _LINE + _GAP
    place = _Place(chart.x, chart.y, top)
    height = top + _PLOT + (1 + bool(chart.x.label) + len(foot)) * _LINE + _EDGE
    root = _root(chart, height)
    for band in chart.bands:
        outline = [*band.lower, *reversed(band.upper)]
        _add(root, "polygon", {"class": band.tone, "points": place.path(outline)})
    _add_axes(root, chart, place)
    _add_words(root, chart, place, title, foot)
    _add_curves(root, chart, place)
    picture: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return picture


def _root(chart: Chart, height: int) -> ElementTree.Element:
    """The empty picture, with what it says in words."""
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "role": "img",
            "aria-labelledby": "title desc",
        },
    )
    _add(root, "title", {"id": "title"}, chart.title)
    _add(root, "desc", {"id": "desc"}, " ".join(plain(line, 200) for line in chart.lines[:_LINES_MAX]), 2400)
    ElementTree.SubElement(root, "style").text = _STYLE
    _add(root, "rect", {"class": "paper", "width": str(_WIDTH), "height": str(height)})
    return root


class _Place(Struct, frozen=True):
    """Where a point of the axes lies on the picture. top: where the highest lies."""

    x: Axis
    y: Axis
    top: int

    @property
    def bottom(self) -> int:
        return self.top + _PLOT

    def at(self, point: Point) -> Point:
        across = _share(point[0], self.x) * (_WIDTH - _LEFT - _RIGHT)
        return _LEFT + across, self.bottom - _share(point[1], self.y) * _PLOT

    def path(self, points: Sequence[Point]) -> str:
        return " ".join(f"{_number(x)},{_number(y)}" for x, y in map(self.at, points))


def _share(value: float, axis: Axis) -> float:
    return (min(max(value, axis.low), axis.high) - axis.low) / (axis.high - axis.low)


def _add_axes(root: ElementTree.Element, chart: Chart, place: _Place) -> None:
    x, y = chart.x, chart.y
    free = float(place.bottom + _LINE)
    for value, text in _ticks(y):
        height = place.at((x.low, value))[1]
        _line(root, place.at((x.low, value)), place.at((x.high, value)))
        if height + _TEXT <= free:
            _write(root, _LEFT - 7, height + 6, text, "end")
            free = height
    ends = -float(_GAP)
    for value, text in _ticks(x):
        across, half = place.at((value, y.low))[0], len(text) * _SIGN / 2
        _line(root, place.at((value, y.low)), place.at((value, y.high)))
        if across - half >= ends + _GAP and across + half <= _WIDTH:
            _write(root, across, place.bottom + _LINE, text, "middle")
            ends = across + half


def _add_words(
    root: ElementTree.Element, chart: Chart, place: _Place, title: list[str], foot: list[str]
) -> None:
    """Title and unit above, what runs across and the foot below, a note in the middle."""
    for number, text in enumerate(title, 1):
        _write(root, _EDGE, number * _TITLE_LINE, text, name="text title")
    _write(root, _EDGE, _EDGE + len(title) * _TITLE_LINE + _TEXT, chart.y.label)
    if chart.x.label:
        _write(root, _WIDTH - _RIGHT, place.bottom + 2 * _LINE, chart.x.label, "end")
    for number, text in enumerate(foot, 2 + bool(chart.x.label)):
        _write(root, _EDGE, place.bottom + number * _LINE, text)
    for number, text in enumerate(wrap(plain(chart.note, _TEXT_MAX), _NOTE_SIGNS)):
        _write(root, (_LEFT + _WIDTH - _RIGHT) / 2, place.top + _PLOT / 2 + number * _LINE, text, "middle")


def _add_curves(root: ElementTree.Element, chart: Chart, place: _Place) -> None:
    free = float("inf")
    for curve in chart.curves:
        _add(root, "polyline", {"class": curve.tone, "points": place.path(curve.points)})
    for x, y, name in sorted(((*place.at(one.points[-1]), one.name) for one in chart.curves), key=_height):
        # The lowest first; a name that would stand in the one below is left out.
        if y + _TEXT <= free:
            _write(root, x + 4, y + 6, name)
            free = y
    joined = [[mark.at for mark in chart.marks]] if chart.traces is None else chart.traces
    for trace in joined:
        _add(root, "polyline", {"class": "trace", "points": place.path(trace)})
    for mark in chart.marks:
        x, y = place.at(mark.at)
        attributes = {"cx": _number(x), "cy": _number(y), "r": "4"}
        _add(root, "circle", {"class": "mark own" if mark.hollow else "mark", **attributes})


def _height(named: tuple[float, float, str]) -> float:
    return -named[1]


def _ticks(axis: Axis) -> Iterator[tuple[float, str]]:
    if axis.ticks:
        yield from axis.ticks[:_TICKS_MAX]
        return
    for number in range(int((axis.high - axis.low) / axis.step + 1e-9) + 1):
        value = axis.low + number * axis.step
        yield value, figure(value)


def figure(value: float) -> str:
    """A number beside a line, as it is written in Vietnam: 10.000 or 7,5."""
    return f"{value:,g}".translate(str.maketrans(",.", ".,"))


def _line(root: ElementTree.Element, start: Point, end: Point) -> None:
    ends = zip(("x1", "y1", "x2", "y2"), (*start, *end), strict=True)
    _add(root, "line", {"class": "grid"} | {name: _number(value) for name, value in ends})


def _write(
    root: ElementTree.Element, x: float, y: float, text: str, anchor: str = "start", name: str = "text"
) -> None:
    attributes = {"class": name, "x": _number(x), "y": _number(y), "text-anchor": anchor}
    _add(root, "text", attributes, text)


def _add(
    root: ElementTree.Element, name: str, attributes: dict[str, str], text: str = "", most: int = _TEXT_MAX
) -> None:
    made = ElementTree.SubElement(root, name, attributes)
    if text:
        made.text = plain(text, most)


def _number(value: float) -> str:
    return f"{value:.1f}"
