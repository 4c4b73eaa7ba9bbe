"""The picture of one measure: WHO's bands behind the child's measurements."""

from collections.abc import Callable
from typing import Final

from documents.charts import Axis, Band, Chart, Curve, Mark, Point, Tone, draw
from ehr.growth.models import MEASURES, Growth, GrowthPoint, GrowthSeries, Measure
from ehr.growth.policy import value_at
from ehr.growth.problems import UNKNOWN_CHART
from ehr.growth.tables import DAYS_OF_MONTH, MONTHS_LAST, STANDING_FROM_DAYS, Row, row_of_age, row_of_length
from ehr.growth.texts import texts
from kernel.problems import Refused

# The deviations that are drawn, with the tone of their lines.
_LINES: Final[tuple[tuple[int, Tone], ...]] = (
    (-3, "far"),
    (-2, "near"),
    (0, "median"),
    (2, "near"),
    (3, "far"),
)
# Months that one picture covers: the first that holds all measurements.
_SPANS: Final = ((24, 2), (60, 6), (120, 12), (228, 24))
_LAST_MONTH: Final[dict[Measure, int]] = {"head-circumference-for-age": 60, "weight-for-age": 120}
_CHARTS: Final = {f"{measure}.svg": measure for measure in MEASURES}
_POINTS: Final = 60
_UNIT_STEPS: Final = (0.5, 1, 2, 5, 10, 20)
_ROWS_MAX: Final = 12
_FOOT: Final = "Nguồn: WHO. Số bên phải: độ lệch chuẩn. Chấm rỗng: gia đình tự ghi."


def picture(growth: Growth, name: str) -> bytes | Refused:
    """SVG of one measure; without measurements the bands alone. Refused: growth-chart-unknown."""
    measure = _CHARTS.get(name)
    if measure is None:
        return Refused(problem=UNKNOWN_CHART)
    series = next((one for one in growth.series if one.measure == measure), None)
    points = [point for point in series.points if point.without is None] if series else []
    made = _for_length if measure == "weight-for-length-height" else _for_age
    return draw(made(growth, measure, series, points))


def _for_age(
    growth: Growth, measure: Measure, series: GrowthSeries | None, points: list[GrowthPoint]
) -> Chart:
    oldest = max((_months(point) for point in points), default=0.0)
    last = _LAST_MONTH.get(measure, 228)
    span, step = next((one for one in _SPANS if one[0] >= min(oldest, last)), _SPANS[-1])
    x = Axis(label="Tuổi (tháng)", low=0, high=span, step=step)
    marks = [Mark(at=(_months(p), float(p.value)), hollow=p.self_declared) for p in points]
    return _chart(x, lambda at: row_of_age(measure, growth.sex, days_at(at)), growth, measure, series, marks)


def _for_length(
    growth: Growth, measure: Measure, series: GrowthSeries | None, points: list[GrowthPoint]
) -> Chart:
    lying = not points or _age(points[-1]) < STANDING_FROM_DAYS
    low, high, days = (45, 110, 0) if lying else (65, 120, STANDING_FROM_DAYS)
    x = Axis(label="Chiều dài (cm)" if lying else "Chiều cao (cm)", low=low, high=high, step=5)
    shown = [point for point in points if (_age(point) < STANDING_FROM_DAYS) == lying]
    marks = [Mark(at=(float(p.length or 0), float(p.value)), hollow=p.self_declared) for p in shown]
    return _chart(x, lambda at: row_of_length(growth.sex, days, round(at, 1)), growth, measure, series, marks)


def _chart(
    x: Axis,
    row_at: Callable[[float], Row | None],
    growth: Growth,
    measure: Measure,
    series: GrowthSeries | None,
    marks: list[Mark],
) -> Chart:
    lines: dict[int, list[Point]] = {z: [] for z, _ in _LINES}
    for number in range(_POINTS + 1):
        at = x.low + (x.high - x.low) * number / _POINTS
        row = row_at(at)
        for z, line in lines.items():
            if row is not None:
                line.append((at, value_at(z, row)))
    ys = [y for line in lines.values() for _, y in line] + [mark.at[1] for mark in marks]
    return Chart(
        title=texts().titles[measure],
        x=x,
        y=_axis(series.unit if series else "", min(ys), max(ys)),
        bands=[
            Band(lower=lines[-3], upper=lines[-2], tone="watch"),
            Band(lower=lines[-2], upper=lines[2], tone="middle"),
            Band(lower=lines[2], upper=lines[3], tone="watch"),
        ],
        curves=[Curve(points=lines[z], name=f"{z:+d}" if z else "0", tone=tone) for z, tone in _LINES],
        marks=marks,
        foot=_FOOT,
        lines=_told(growth, series),
    )


def days_at(months: float) -> int:
    """The day of an age in months; of the last, the last that the tables have."""
    return min(round(months * DAYS_OF_MONTH), int(MONTHS_LAST * DAYS_OF_MONTH))


def _axis(unit: str, low: float, high: float) -> Axis:
    step = next((one for one in _UNIT_STEPS if (high - low) / one <= 12), _UNIT_STEPS[-1])
    return Axis(label=unit, low=low // step * step, high=-(-high // step) * step, step=step)


def _told(growth: Growth, series: GrowthSeries | None) -> list[str]:
    if series is None:
        return ["Chưa có số đo."]
    first = [growth.correction_vi] if growth.correction_vi else []
    return first + [
        f"{p.date}: {p.value} {series.unit}" + (f", z {p.z}." if p.z else ".")
        for p in series.points[-_ROWS_MAX:]
    ]


def _age(point: GrowthPoint) -> int:
    return point.age_days if point.corrected_age_days is None else point.corrected_age_days


def _months(point: GrowthPoint) -> float:
    return _age(point) / DAYS_OF_MONTH
