"""An item in words: the same ones in a narrative and on paper."""

from datetime import datetime
from typing import Final

from ehr.models import DoneElsewhere, Item, ItemSource, Part, Range, Verdict
from kernel.clock import VIETNAM

_FLAGS = {
    "low": "thấp",
    "high": "cao",
    "abnormal": "bất thường",
    "critical": "nguy hiểm",
    "critical-low": "thấp, nguy hiểm",
    "critical-high": "cao, nguy hiểm",
}
_CRITICALITY = {"high": "nguy cơ cao", "low": "nguy cơ thấp"}


# Who said it, where that is the person of the book.
SELF: Final = "người bệnh"


def day_text(date: str | None, with_time: bool = False) -> str:
    """A FHIR date at its own precision, as people write it: 02/09/2026, 09/2026, 2026."""
    if not date:
        return ""
    if "T" not in date:
        return "/".join(reversed(date.split("-")))
    try:
        local = datetime.fromisoformat(date).astimezone(VIETNAM)
    except (ValueError, OverflowError):
        return date
    return f"{local:%H:%M %d/%m/%Y}" if with_time else f"{local:%d/%m/%Y}"


def detail_text(item: Item) -> str:
    """Everything about an item beside its title, date and facility; what weakens it first."""
    parts = [
        "người bệnh cho là sai" if item.disputed else "",
        "chưa trả cho người bệnh" if item.not_yet_released else "",
        _value(item.value, item.unit, item.range, item.flag),
        *(_part(part) for part in item.parts),
        _CRITICALITY.get(item.criticality or "", ""),
        ", ".join(item.reactions),
        "; ".join(item.dosage),
        f"mũi {item.dose_number}" if item.dose_number else "",
        f"lô {item.lot_number}" if item.lot_number else "",
        *item.reasons,
        *item.lines,
        item.text or "",
        f"đến {day_text(item.end_date)}" if item.end_date else "",
        declared_text(item),
        f"theo {item.recorded_by}" if item.recorded_by and not item.self_declared else "",
        _elsewhere(item.done_elsewhere) if item.done_elsewhere else "",
        _senders(item.sources),
    ]
    return "; ".join(part for part in dict.fromkeys(parts) if part and part != item.title)


def declared_text(item: Item) -> str:
    """Who said it, where no facility did, and what a doctor made of it; nothing of all other items."""
    if not item.self_declared:
        return ""
    verdict = item.verdict
    by = "tự khai" if item.recorded_by in (None, "", SELF) else f"do {item.recorded_by} khai"
    if verdict is None:
        return f"{by}, chưa có bác sĩ xác nhận"
    told = "bác sĩ xác nhận" if verdict.outcome == "confirmed" else "bác sĩ cho là không đúng"
    return f"{by}, {told}{_day_of(verdict)}" + (f": {verdict.note}" if verdict.note else "")


def _day_of(verdict: Verdict) -> str:
    when = f" ngày {day_text(verdict.date)}" if verdict.date else ""
    return when + (f" tại {verdict.facility_name}" if verdict.facility_name else "")


def _elsewhere(done: DoneElsewhere) -> str:
    place = f"đã làm tại {done.facility_name or 'cơ sở khác'}"
    when = f" ngày {day_text(done.date)}" if done.date else ""
    return f"{place}{when}" + (f": {_value(done.value, done.unit, None, None)}" if done.value else "")


def _senders(sources: list[ItemSource]) -> str:
    named = [" ".join(part for part in (one.facility_name, _day_within(one.date)) if part) for one in sources]
    told = [name for name in named if name]
    return f"nguồn: {', '.join(told)}" if told else ""


def _day_within(date: str | None) -> str:
    return f"({day_text(date)})" if date else ""


def title_text(item: Item) -> str:
    """A visit by its main disease, where the reader may know it."""
    return f"{item.main_diagnosis} ({item.title})" if item.main_diagnosis else item.title


def _part(part: Part) -> str:
    return f"{part.title}: {_value(part.value, part.unit, part.range, part.flag)}"


def _value(value: str | None, unit: str | None, bounds: Range | None, flag: str | None) -> str:
    if value is None:
        return ""
    told = f"{value} {unit}" if unit else value
    if bounds is not None and (bounds.text or bounds.low or bounds.high):
        told += f" (khoảng tham chiếu {bounds.text or _bounds(bounds)})"
    return f"{told}, {_FLAGS[flag]}" if flag in _FLAGS else told


def _bounds(bounds: Range) -> str:
    if bounds.low and bounds.high:
        return f"{bounds.low}–{bounds.high}"
    return f"≥ {bounds.low}" if bounds.low else f"≤ {bounds.high}"
