"""A child's growth as an answer: measurements that the Access lets through, placed among WHO's children."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from ehr.growth import policy
from ehr.growth.measurements import CODES, born_early, gestational_days, taken
from ehr.growth.models import MEASURES, Growth, GrowthPoint, GrowthSeries, GrowthWords, Measure, Sex, Taken
from ehr.growth.problems import CHILDREN_ONLY, PERSON_UNCLEAR
from ehr.growth.queries import MEASURED, MEASURED_MAX
from ehr.growth.tables import DAYS_OF_MONTH, MONTHS_LAST, STANDARDS
from ehr.growth.texts import texts, words_for
from ehr.reads.notices import notice_for
from ehr.reads.scope import scope_of
from identity.people import person_of
from kernel.access import Access
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

_UNITS: Final[dict[Measure, str]] = {
    "weight-for-age": "kg",
    "length-height-for-age": "cm",
    "weight-for-length-height": "kg",
    "bmi-for-age": "kg/m2",
    "head-circumference-for-age": "cm",
}
_HUNDREDTH: Final = Decimal("0.01")


class Child(Struct, frozen=True):
    """Whose growth it is. gestational_days: of the pregnancy that the child was born of, where known;
    is_early: whether it is known to have ended early."""

    sex: Sex
    born: date
    gestational_days: int | None
    is_early: bool

    def ages(self, day: date) -> tuple[int, int | None]:
        """Days lived on a day, and the age from the day the child was due, where that counts."""
        days = (day - self.born).days
        return days, policy.corrected_age(days, self.gestational_days)


async def gather(
    tx: Tx, keys: KeyRing, access: Access, now: datetime
) -> tuple[Growth, list[tuple[str, str]]] | Refused:
    """Growth, and the rows it shows. One statement, one more for the person where needed.

    Refused: growth-children-only, growth-person-unclear.
    """
    known = await person_of(tx, keys, access)
    birth_date = known.birth_date if known else None
    if birth_date is not None and _is_grown(birth_date, local_day(now)):
        return Refused(problem=CHILDREN_ONLY)
    if known is None or birth_date is None or len(birth_date) != 10 or known.sex not in ("female", "male"):
        return Refused(problem=PERSON_UNCLEAR)
    rows = await MEASURED.all(tx, *scope_of(access, now), CODES, MEASURED_MAX)
    born = date.fromisoformat(birth_date)
    child = Child(known.sex, born, gestational_days(rows, born), born_early(rows))
    measured = taken(rows, born)
    series = [made for measure in MEASURES if (made := _series(child, measure, measured)).points]
    growth = Growth(
        sex=child.sex,
        birth_date=birth_date,
        gestational_weeks=_weeks(child.gestational_days),
        correction_vi=_correction(child),
        standards=STANDARDS,
        series=series,
        words=[told for one in series if (told := _words(one)) is not None],
        texts_version=texts().version,
        source_vi=texts().source,
        notice=notice_for(access),
    )
    return growth, [(row.rtype, row.id) for row in rows]


def _is_grown(birth_date: str, today: date) -> bool:
    """Past the last row of the tables for certain; of a year alone the youngest counts."""
    latest = "-".join([*birth_date.split("-"), "12", "28"][:3])
    return (today - date.fromisoformat(latest)).days > MONTHS_LAST * DAYS_OF_MONTH


def _weeks(days: int | None) -> str | None:
    if days is None:
        return None
    return f"{days // 7}" if days % 7 == 0 else f"{days // 7}+{days % 7}"


def _correction(child: Child) -> str | None:
    days = child.gestational_days
    if days is None:
        return texts().uncorrected if child.is_early else None
    if days >= policy.TERM_WEEKS * 7:
        return None
    return texts().correction.format(weeks=_weeks(days))


def _series(child: Child, measure: Measure, measured: list[Taken]) -> GrowthSeries:
    make: Callable[[Child, list[Taken]], list[GrowthPoint]] = _MAKERS[measure]
    return GrowthSeries(
        measure=measure,
        title_vi=texts().titles[measure],
        unit=_UNITS[measure],
        chart=f"growth/{measure}.svg",
        points=make(child, measured),
    )


def _words(series: GrowthSeries) -> GrowthWords | None:
    newest = next((point for point in reversed(series.points) if point.band is not None), None)
    if newest is None or newest.band is None:
        return None
    return words_for(series.measure, newest.band, newest.date, self_declared=newest.self_declared)


def _weights(child: Child, measured: list[Taken]) -> list[GrowthPoint]:
    return [_for_age(child, "weight-for-age", one, one.value) for one in measured if one.kind == "weight"]


def _heads(child: Child, measured: list[Taken]) -> list[GrowthPoint]:
    name: Measure = "head-circumference-for-age"
    return [_for_age(child, name, one, one.value) for one in measured if one.kind == "head"]


def _lengths(child: Child, measured: list[Taken]) -> list[GrowthPoint]:
    return [
        _for_age(child, "length-height-for-age", one, _as_the_table(child, one))
        for one in measured
        if one.kind == "length"
    ]


def _for_age(child: Child, measure: Measure, one: Taken, value: Decimal) -> GrowthPoint:
    days, corrected = child.ages(one.day)
    age = days if corrected is None else corrected
    z = policy.z_of_age(measure, child.sex, age, value)
    return _point(child, measure, one, one.value, z, measured=[one])


def _weights_for_length(child: Child, measured: list[Taken]) -> list[GrowthPoint]:
    points = []
    for weight, length in _pairs(measured):
        age = _age(child, weight.day)
        z = policy.z_of_length(child.sex, age, _as_the_table(child, length), weight.value)
        if age <= policy.WEIGHT_FOR_LENGTH_LAST_DAY:
            points.append(
                _point(
                    child,
                    "weight-for-length-height",
                    weight,
                    weight.value,
                    z,
                    measured=[weight, length],
                    length=length,
                )
            )
    return points


def _indices(child: Child, measured: list[Taken]) -> list[GrowthPoint]:
    points = []
    for weight, length in _pairs(measured):
        metres = _as_the_table(child, length) / 100
        index = weight.value / (metres * metres)
        z = policy.z_of_age("bmi-for-age", child.sex, _age(child, weight.day), index)
        shown = index.quantize(_HUNDREDTH, ROUND_HALF_UP)
        points.append(_point(child, "bmi-for-age", weight, shown, z, measured=[weight, length]))
    return points


def _pairs(measured: list[Taken]) -> list[tuple[Taken, Taken]]:
    """Weight and length of one day, by the same hands where there is a choice."""
    lengths: dict[date, list[Taken]] = {}
    for one in measured:
        if one.kind == "length":
            lengths.setdefault(one.day, []).append(one)
    pairs = []
    for weight in measured:
        same_day = lengths.get(weight.day, []) if weight.kind == "weight" else []
        if same_day:
            by = (weight.facility_name, weight.self_declared)
            same = [one for one in same_day if (one.facility_name, one.self_declared) == by]
            pairs.append((weight, (same or same_day)[-1]))
    return pairs


def _age(child: Child, day: date) -> int:
    days, corrected = child.ages(day)
    return days if corrected is None else corrected


def _as_the_table(child: Child, length: Taken) -> Decimal:
    return policy.as_the_table(length.value, length.position, _age(child, length.day))


def _point(
    child: Child,
    measure: Measure,
    one: Taken,
    value: Decimal,
    z: float | None,
    *,
    measured: list[Taken],
    length: Taken | None = None,
) -> GrowthPoint:
    days, corrected = child.ages(one.day)
    early = corrected is not None and corrected < 0
    return GrowthPoint(
        date=one.day.isoformat(),
        age_days=days,
        corrected_age_days=corrected,
        value=_text(value),
        length=None if length is None else _text(length.value),
        position=measured[-1].position,
        z=None if z is None else f"{Decimal(z).quantize(_HUNDREDTH, ROUND_HALF_UP):f}",
        band=None if z is None else policy.band_of(measure, z),
        without=None if z is not None else "before-term" if early else "outside-tables",
        facility_name=one.facility_name,
        self_declared=any(part.self_declared for part in measured),
        measured=list(dict.fromkeys(part.id for part in measured)),
    )


def _text(value: Decimal) -> str:
    """A decimal text; what was written in grams has its zeros."""
    return f"{value:f}"


_MAKERS: Final = {
    "weight-for-age": _weights,
    "length-height-for-age": _lengths,
    "weight-for-length-height": _weights_for_length,
    "bmi-for-age": _indices,
    "head-circumference-for-age": _heads,
}
