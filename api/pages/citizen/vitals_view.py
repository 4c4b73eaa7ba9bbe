"""Measurements as a person reads them: everyday units, words beside numbers, kinds named by their number.

An address says `/me/vitals/9/month`: the kind's number, which says nothing to whoever reads a history (S34).
"""

from datetime import datetime, timedelta
from typing import Any, Final

from api.pages.formats import day, moment, number
from vitals.kinds import BY_NUMBER, KINDS, shown, stored
from vitals.reads.texts import TITLES_VI, UNITS_VI

# How far back a picture reaches, and how it is called.
SPANS: Final[dict[str, tuple[int, str, str]]] = {
    "day": (1, "Một ngày", "One day"),
    "week": (7, "Một tuần", "One week"),
    "month": (30, "Một tháng", "One month"),
    "year": (365, "Một năm", "One year"),
}
MOMENTS_SHOWN: Final = 40
TITLES_EN: Final[dict[str, str]] = {
    "heart-rate": "Heart rate",
    "resting-hr": "Resting heart rate",
    "hrv-sdnn": "Heart rate variability (SDNN)",
    "hrv-rmssd": "Heart rate variability (RMSSD)",
    "spo2": "Oxygen saturation (SpO2)",
    "resp-rate": "Breathing rate",
    "temperature": "Body temperature",
    "temperature-wrist": "Wrist temperature",
    "blood-pressure": "Blood pressure",
    "glucose": "Blood glucose",
    "weight": "Weight",
    "height": "Height",
    "steps": "Steps",
    "sleep-in-bed": "Time in bed",
    "sleep-asleep": "Time asleep",
    "sleep-light": "Light sleep",
    "sleep-deep": "Deep sleep",
    "sleep-rem": "REM sleep",
    "sleep-awake": "Awake at night",
    "active-energy": "Active energy",
}
UNITS_EN: Final = {"/min": "per minute", "mm[Hg]": "mmHg", "Cel": "°C", "{steps}": "steps", "min": "minutes"}
SOURCES: Final[dict[str, tuple[str, str]]] = {
    "watch": ("đồng hồ", "watch"),
    "band": ("vòng tay", "band"),
    "phone": ("điện thoại", "phone"),
    "cuff": ("máy đo huyết áp", "blood pressure monitor"),
    "meter": ("máy đo đường huyết", "glucose meter"),
    "cgm": ("cảm biến đo liên tục", "continuous sensor"),
    "scale": ("cân", "scale"),
    "thermometer": ("nhiệt kế", "thermometer"),
    "oximeter": ("máy đo oxy", "oximeter"),
    "strap": ("đai đo ngực", "chest strap"),
    "manual": ("tự nhập", "typed in"),
}
CONTEXTS: Final[dict[str, tuple[str, str]]] = {
    "oral": ("đo ở miệng", "in the mouth"),
    "axillary": ("đo ở nách", "under the arm"),
    "rectal": ("đo ở hậu môn", "rectal"),
    "ear": ("đo ở tai", "in the ear"),
    "forehead": ("đo ở trán", "on the forehead"),
    "fasting": ("lúc đói", "fasting"),
    "pre-meal": ("trước ăn", "before a meal"),
    "post-meal": ("sau ăn", "after a meal"),
    "bedtime": ("trước khi ngủ", "at bedtime"),
    "morning": ("buổi sáng", "in the morning"),
    "evening": ("buổi tối", "in the evening"),
    "rest": ("lúc nghỉ", "at rest"),
    "workout": ("lúc tập", "during exercise"),
}


def kind_name(ident: int) -> str | None:
    """The contract's name of a kind that an address numbers."""
    kind = BY_NUMBER.get(ident)
    return kind.name if kind else None


def ident_of(kind: str) -> int:
    return KINDS[kind].number


def title_of(one: dict[str, Any], *, english: bool) -> str:
    """A kind in words. one: whatever of the contract has `kind` and `title_vi`."""
    return TITLES_EN.get(one["kind"], one["title_vi"]) if english else str(one["title_vi"])


def unit_of(unit: str, *, english: bool) -> str:
    return (UNITS_EN if english else UNITS_VI).get(unit, unit)


def figure(value: Any) -> str:
    """A measured number: one decimal at most, none where it says nothing."""
    return "" if value is None else number(f"{float(value):.1f}".removesuffix(".0"))


def pair(first: Any, second: Any) -> str:
    """Blood pressure is said as two numbers."""
    return figure(first) + (f"/{figure(second)}" if second is not None else "")


def latest_rows(latest: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """The newest value of each kind, for a card each."""
    return [
        {
            "ident": ident_of(one["kind"]),
            "title": title_of(one, english=english),
            "value": pair(one["value"], one["value2"]),
            "unit": unit_of(one["unit"], english=english),
            "also": _also(one, english=english),
            "at": one["at"],
            "source": _source(one["source"], english=english),
            "context": CONTEXTS.get(one["ctx"] or "", ("", ""))[english],
        }
        for one in latest["items"]
    ]


def _also(one: dict[str, Any], *, english: bool) -> str:
    """The same in the unit of the pictures, where it was sent in another: 109 mg/dL is 6,1 mmol/L."""
    kind = KINDS[one["kind"]]
    kept = stored(kind, one["value"], one["unit"])
    if one["unit"] == kind.unit or isinstance(kept, str) or one["value2"] is not None:
        return ""
    return f"{figure(shown(kind, kept))} {unit_of(kind.unit, english=english)}"


def _source(source: dict[str, Any], *, english: bool) -> str:
    """From what it is: the model where it is known, else the kind of device."""
    if source["method"] == "manual" or source["kind"] == "manual":
        return SOURCES["manual"][english]
    what = SOURCES.get(source["kind"], ("thiết bị khác", "another device"))[english]
    return f"{what} {source['model']}" if source["model"] else what


def week_rows(weekly: dict[str, Any], *, english: bool) -> list[dict[str, Any]]:
    """Each kind's week beside the one before; `change` in words, without saying whether that is good."""
    rows = []
    for one in weekly["items"]:
        this, before = _of_week(one["this"]), _of_week(one["before"])
        rows.append(
            {
                "title": title_of(one, english=english),
                "unit": unit_of(one["unit"], english=english),
                "this": this,
                "before": before,
                "change": _change(one["this"], one["before"], english=english),
            }
        )
    return rows


def _of_week(week: dict[str, Any] | None) -> str:
    return "" if week is None else pair(_mean(week), week.get("avg2"))


def _mean(week: dict[str, Any]) -> float:
    """Steps are compared by the day, everything else by its average."""
    return float(week["avg"] if week.get("day_sum") is None else week["day_sum"])


def _change(this: dict[str, Any] | None, before: dict[str, Any] | None, *, english: bool) -> str:
    if this is None or before is None:
        return ""
    more = round(_mean(this) - _mean(before), 1)
    if more == 0:
        return ("như tuần trước", "as the week before")[english]
    said = (("tăng", "up"), ("giảm", "down"))[more < 0][english]
    return f"{said} {figure(abs(more))}"


def span_until(now: datetime, span: str) -> dict[str, str]:
    """since and until of a span that ends now."""
    return {"since": (now - timedelta(days=SPANS[span][0])).isoformat(), "until": now.isoformat()}


def chart_rows(chart: dict[str, Any]) -> list[dict[str, str]]:
    """The table beside a picture, newest first: the moments of a day, or its hours where they are many; the
    days of a month, the months of a year."""
    since, until = datetime.fromisoformat(chart["since"]), datetime.fromisoformat(chart["until"])
    together: dict[str, list[dict[str, Any]]] = {}
    for one in chart["buckets"]:
        when = _when(one["at"], (until - since).days, is_one=len(chart["buckets"]) <= MOMENTS_SHOWN)
        together.setdefault(when, []).append(one)
    return [{"when": when, **_range(found)} for when, found in reversed(together.items())]


def _when(at: str, days: int, *, is_one: bool) -> str:
    if days <= SPANS["day"][0]:
        return moment(at) if is_one else f"{moment(at)[:2]}:00 {day(at)}"
    return day(at) if days <= SPANS["month"][0] else day(at)[3:]


def _range(found: list[dict[str, Any]]) -> dict[str, str]:
    """Least, greatest and mean of some buckets, weighed by how many values each holds; or their sum."""
    counted = sum(one["n"] for one in found)
    two = found[0].get("avg2") is not None
    added = found[0].get("sum") is not None
    return {
        "n": number(counted),
        "low": pair(min(one["min"] for one in found), min(one["min2"] for one in found) if two else None),
        "high": pair(max(one["max"] for one in found), max(one["max2"] for one in found) if two else None),
        "mean": pair(_weighed(found, "avg", counted), _weighed(found, "avg2", counted) if two else None),
        "sum": figure(sum(one["sum"] for one in found)) if added else "",
    }


def _weighed(found: list[dict[str, Any]], name: str, counted: int) -> float:
    return float(sum(one[name] * one["n"] for one in found)) / counted


def alert_rows(alerts: list[dict[str, Any]], *, english: bool) -> dict[str, list[dict[str, Any]]]:
    """fresh: what goes on, or that nobody has seen; past: the rest."""
    kept = [one for one in alerts if one["status"] != "retracted"]
    fresh = [one for one in kept if one["status"] == "active" or not one.get("seen_at")]
    past = [one for one in kept if one not in fresh]
    return {
        "fresh": [_alert(one, english=english) for one in fresh],
        "past": [_alert(one, english=english) for one in past],
    }


def _alert(one: dict[str, Any], *, english: bool) -> dict[str, Any]:
    return {
        "id": one["alert_id"],
        "title": title_of(one, english=english),
        "value": pair(one["value"], one.get("value2")),
        "unit": unit_of(one["unit"], english=english),
        "direction": _direction(one, english=english),
        "critical": one["severity"] == "critical",
        "severity": one["severity"],
        "at": one["last_at"],
        "text": one["text"],
        "seen_at": one.get("seen_at"),
    }


def _direction(one: dict[str, Any], *, english: bool) -> str:
    if one["measure"] == "no-data":
        return ("không còn số đo", "no readings any more")[english]
    return (("cao", "high") if one["direction"] == "high" else ("thấp", "low"))[english]


def profile_words(agp: dict[str, Any]) -> dict[str, Any] | None:
    """The glucose profile in numbers to be said; None without readings."""
    profile = agp["profile"]
    if not profile["readings"]:
        return None
    shares = profile["shares"] or {}
    return {
        "warning": agp["sufficient_vi"],
        "range": f"{agp['low']}–{agp['high']} mg/dL",
        "in_range": figure(shares.get("in_range")),
        "below": figure(shares.get("below")),
        "above": figure(shares.get("above")),
        "mean": f"{figure(profile['mean'])} mg/dL",
        "readings": number(profile["readings"]),
        "days": profile["days"],
    }


# Whose limit it is, as a person reads it.
_SET_BY: Final[dict[str, tuple[str, str]]] = {
    "citizen": ("chủ sổ đặt", "set by whose book it is"),
    "doctor": ("bác sĩ đặt", "set by a doctor"),
    "guardian": ("người giám hộ đặt", "set by a guardian"),
    "follower": ("người nhà đặt", "set by a relative"),
}
_DEFAULT: Final = ("mức chung", "the common one")
_MINE: Final = ("bạn đặt", "set by you")


def limit_rows(rules: list[dict[str, Any]], *, english: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """Limits by kind, those in force first. can_end: of one's own and of a doctor's."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(rules, key=lambda rule: not rule["in_force"]):
        titles = TITLES_EN if english else TITLES_VI
        row = {
            "id": one["rule_id"],
            "text": one["text"],
            "set_by": (_MINE if one["is_mine"] else _SET_BY.get(one["set_by"], _DEFAULT))[english],
            "in_force": one["in_force"],
            "can_end": one["is_mine"] or one["set_by"] == "doctor",
        }
        found.setdefault(titles.get(one["kind"], one["kind"]), []).append(row)
    return list(found.items())
