"""Words of a chart: high enough for a phone, none into another, none outside; numbers as in Vietnam."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from documents.charts import Axis, Chart, Curve, Mark, draw, figure

SVG = "{http://www.w3.org/2000/svg}"
# How wide a sign is at most that stands beside a line: a figure of sans-serif at 16 px.
SIGN = 9


def chart(ticks: int, names: list[float]) -> Chart:
    return Chart(
        title="Một tên dài hơn một dòng của màn hình điện thoại, 01/10/2026 - 23/11/2026",
        x=Axis(label="Ngày", low=0, high=ticks, step=1, ticks=[(n, f"{n:02}/11/26") for n in range(ticks)]),
        y=Axis(label="mmol/L", low=0, high=20_000, step=500),
        bands=[],
        curves=[Curve(points=[(0, at), (ticks, at)], name=figure(at), tone="near") for at in names],
        marks=[Mark(at=(1, 1000))],
        foot="Một câu dài ở dưới, dài hơn một dòng của màn hình điện thoại.",
        lines=[],
    )


def texts(drawn: bytes) -> list[tuple[float, float, str, str]]:
    found = ElementTree.fromstring(drawn).iter(f"{SVG}text")
    return [
        (float(one.get("x", 0)), float(one.get("y", 0)), one.get("text-anchor", ""), one.text or "")
        for one in found
    ]


@pytest.mark.parametrize("ticks", [1, 5, 40])
def test_no_word_beside_a_line_runs_into_another(ticks: int) -> None:
    shown = texts(draw(chart(ticks, [1000, 1100, 9000])))
    rows = [(x, text) for x, _, anchor, text in shown if anchor == "middle"]
    assert rows[0][1] == "00/11/26"
    for (left, before), (right, _) in pairwise(rows):
        assert right - left >= len(before) * SIGN - 1
    for side in ("end", "start"):
        heights = sorted(y for x, y, anchor, text in shown if anchor == side and text[0].isdigit())
        assert all(below - above >= 15 for above, below in pairwise(heights))
    names = {text for _, _, anchor, text in shown if anchor == "start"}
    assert "9.000" in names
    assert len({"1.000", "1.100"} & names) == 1, "one of two that would stand in each other"


def test_long_words_go_on_in_a_new_line_inside_the_picture() -> None:
    drawn = draw(chart(3, []))
    _, _, width, height = map(int, (ElementTree.fromstring(drawn).get("viewBox") or "").split())
    shown = texts(drawn)
    assert (
        " ".join(text for _, _, _, text in shown if text.startswith(("Một", "điện", "01/10"))).count("Một")
        == 2
    )
    assert all(0 < x <= width and 0 < y < height for x, y, _, _ in shown)


@pytest.mark.parametrize(
    ("value", "said"), [(7.5, "7,5"), (10_000, "10.000"), (0, "0"), (-3, "-3"), (120.0, "120")]
)
def test_numbers_as_in_vietnam(value: float, said: str) -> None:
    assert figure(value) == said
