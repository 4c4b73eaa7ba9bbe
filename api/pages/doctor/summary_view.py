"""The summary in the order of the design (ehr-core.md §5.1), made of what the service answered. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from api.pages.citizen.entries_view import Entry, Word
from kernel.access import RecordType
from kernel.text import fold

# What a grant must name for a section to show anything.
TYPES_OF: Final[Mapping[str, frozenset[RecordType]]] = {
    "allergies": frozenset({"AllergyIntolerance"}),
    "problems": frozenset({"Condition"}),
    "medications": frozenset({"MedicationRequest", "MedicationStatement"}),
    "results": frozenset({"Observation.laboratory", "Observation.other"}),
    "encounters": frozenset({"Encounter"}),
    "immunizations": frozenset({"Immunization"}),
    "pregnancy": frozenset({"Observation.pregnancy"}),
    "devices": frozenset({"Device"}),
}
# Behind what a doctor needs first, in this order, where there is anything.
BEHIND: Final[Mapping[str, Word]] = {
    "vital-signs": Word("Dấu hiệu sinh tồn", "Vital signs"),
    "care-plans": Word("Kế hoạch, hẹn khám", "Plans and appointments"),
    "procedures": Word("Thủ thuật, phẫu thuật", "Procedures and operations"),
    "past-problems": Word("Bệnh đã qua", "Past illnesses"),
    "social": Word("Lối sống", "Lifestyle"),
}
_BEHIND_MAX: Final = 6
_PLANS_MAX: Final = 3


class Folded(Struct, frozen=True):
    """Entries that say the same of the same thing: the newest, how many there are, and who sent them."""

    first: Entry
    count: int
    facilities: list[str]
    since: str | None
    is_new: bool = False

    @property
    def others(self) -> list[str]:
        """Facilities besides the one of the newest entry."""
        return [name for name in self.facilities if name != self.first.get("facility_name")]


class Section(Struct, frozen=True):
    """state: listed, none-known, not-asked, unavailable, or withheld: outside the grant."""

    key: str
    state: str
    rows: list[Folded]
    more: bool = False


class Sheet(Struct, frozen=True):
    """The parts of the first screen by their names, and what stands behind them. is_flagged: a result is
    marked as out of range."""

    parts: dict[str, Section]
    behind: list[tuple[Word, Section]]
    is_flagged: bool


def sheet_of(summary: dict[str, Any], granted: Iterable[str] | None) -> Sheet:
    """granted: the kinds that a grant names; None: another ground, of which nothing is said here."""
    came = {one["key"]: one for one in summary["sections"]}
    names = None if granted is None else frozenset(granted)
    parts = {key: _section(key, came.get(key), names) for key in ("alerts", *TYPES_OF)}
    last = max(
        (row.first["date"][:10] for row in parts["encounters"].rows if row.first.get("date")), default=""
    )
    parts["results"] = _results_first(parts["results"], last)
    behind = [(word, _cut(_section(key, came[key], None))) for key, word in BEHIND.items() if key in came]
    return Sheet(parts, behind, any(is_flagged(row.first) for row in parts["results"].rows))


def due_rows(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    """Doses that are due or late by the national schedule."""
    return [row for plan in schedule["items"] for row in plan["rows"] if row["state"] in ("due", "overdue")]


def folded(entries: Iterable[Entry], *, by_dose: bool = False) -> list[Folded]:
    """Entries of one code (or title) together, the newest first. by_dose: only where they are taken alike,
    for two doses of one medicine are two things to look at."""
    found: dict[tuple[Any, ...], list[Entry]] = {}
    for one in entries:
        name = one.get("code") if not by_dose else None
        dose = tuple(one.get("dosage") or ()) if by_dose else ()
        found.setdefault(
            (one.get("code_system") if name else "", name or fold(one["title"]), dose), []
        ).append(one)
    return [_together(group) for group in found.values()]


def _together(group: list[Entry]) -> Folded:
    names = [one["facility_name"] for one in group if one.get("facility_name")]
    dates = [one["date"] for one in group if one.get("date")]
    return Folded(group[0], len(group), list(dict.fromkeys(names)), min(dates, default=None))


def _section(key: str, came: dict[str, Any] | None, granted: frozenset[str] | None) -> Section:
    if granted is not None and key in TYPES_OF and not TYPES_OF[key] & granted:
        return Section(key, "withheld", [])
    if came is None:
        return Section(key, "not-asked", [])
    if came["state"] != "listed":
        return Section(key, came["state"], [])
    if key in ("problems", "medications", "past-problems", "allergies"):
        rows = folded(came["items"], by_dose=key == "medications")
    else:
        rows = [_together([one]) for one in came["items"]]
    return Section(key, "listed", rows, came["more"])


def _results_first(section: Section, last_visit: str) -> Section:
    """Results out of range first, then what came with or after the last visit, then the rest."""

    def place(row: Folded) -> int:
        return 0 if is_flagged(row.first) else 1 if row.is_new else 2

    rows = [replace(row, is_new=is_new(row.first, last_visit)) for row in section.rows]
    return Section(section.key, section.state, sorted(rows, key=place), section.more)


def is_flagged(entry: Entry) -> bool:
    """Whether its laboratory says that a result, or one of its parts, lies outside the range."""
    flags = (entry.get("flag"), *(part.get("flag") for part in entry.get("parts") or []))
    return any(flag not in (None, "normal") for flag in flags)


def is_new(entry: Entry, last_visit: str) -> bool:
    """Whether a result is of the day of the last visit or later."""
    return bool(last_visit) and (entry.get("date") or "")[:10] >= last_visit


def _cut(section: Section) -> Section:
    rows = section.rows[: _PLANS_MAX if section.key == "care-plans" else _BEHIND_MAX]
    return Section(section.key, section.state, rows, section.more or len(section.rows) > len(rows))
