"""A child's growth in plain words: the newest of each measure, its place, its words, its table."""

from typing import Any, Final

from api.pages.formats import day, number
from ehr.growth.models import MEASURES

TITLES_EN: Final[dict[str, str]] = {
    "weight-for-age": "Weight for age",
    "length-height-for-age": "Length or height for age",
    "weight-for-length-height": "Weight for length or height",
    "bmi-for-age": "Body mass index for age",
    "head-circumference-for-age": "Head circumference for age",
}
# Where a measurement lies among the children of the standard, and the tone of its mark.
PLACES: Final[dict[str, tuple[str, str, str]]] = {
    "within": ("Trong khoảng thường gặp", "Within the usual range", "good"),
    "below-2": ("Thấp hơn khoảng thường gặp", "Below the usual range", "warn"),
    "below-3": ("Thấp hơn nhiều so với khoảng thường gặp", "Far below the usual range", "bad"),
    "above-2": ("Cao hơn khoảng thường gặp", "Above the usual range", "warn"),
    "above-3": ("Cao hơn nhiều so với khoảng thường gặp", "Far above the usual range", "bad"),
    "implausible": ("Số đo có thể ghi nhầm", "May have been written down wrongly", "warn"),
}
NO_PLACE: Final = ("Không so sánh được ở tuổi này", "Not compared at this age", "plain")
DAYS_OF_A_MONTH: Final = 30.4375


def measures(growth: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """Each measure that has points; the contract's words stand beside the newest where they are about it."""
    words = {one["measure"]: one for one in growth["words"]}
    return [
        _measure(series, words.get(series["measure"]), english=english)
        for series in growth["series"]
        if series["points"]
    ]


def _measure(series: dict[str, Any], words: dict[str, Any] | None, *, english: bool) -> dict[str, Any]:
    rows = [_row(point, english=english) for point in reversed(series["points"])]
    title = series["title_vi"]
    return {
        "ident": MEASURES.index(series["measure"]) + 1,
        "measure": series["measure"],
        "title": TITLES_EN.get(series["measure"], title) if english else title,
        "unit": series["unit"],
        "chart": series["chart"],
        "newest": rows[0],
        "words": words,
        "rows": rows,
    }


def _row(point: dict[str, Any], *, english: bool) -> dict[str, Any]:
    place = PLACES.get(point["band"] or "", NO_PLACE)
    said = ("gia đình đo", "measured at home") if point["self_declared"] else ("", "")
    return {
        "day": day(point["date"]),
        "age": age(point["age_days"], english=english),
        "value": number(point["value"]),
        "length": number(point["length"]) if point["length"] else "",
        "place": place[english],
        "tone": place[2],
        "by": point["facility_name"] or said[english],
    }


def age(days: int, *, english: bool) -> str:
    """An age as people say it of children: days, months up to two years, then years and months."""
    months = int(days / DAYS_OF_A_MONTH)
    if months < 1:
        return f"{days} {('ngày', 'days')[english]}"
    if months < 24:
        return f"{months} {('tháng', 'months')[english]}"
    years, rest = divmod(months, 12)
    said = f"{years} {('tuổi', 'years')[english]}"
    return f"{said} {rest} {('tháng', 'months')[english]}" if rest else said
