"""What stands on the first page of a book, in the order of what a person has to do. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from api.pages.citizen.entries_view import Entry, Stack, section, stacked
from kernel.clock import local_day

# A time can be answered so long before it comes: who leaves the house takes it along.
EARLY: Final = timedelta(hours=1)
NEW_FOR: Final = timedelta(days=90)
RESULTS_SHOWN: Final = 4
LOOKS_SHOWN: Final = 3
_SOON: Final = frozenset({"critical", "critical-low", "critical-high"})


class Dose(Struct, frozen=True):
    """One time of today. names: its items by their title; open: what nobody answered yet; can_answer: its
    time is near."""

    due_at: str
    items: list[dict[str, Any]]
    open: list[dict[str, Any]]
    can_answer: bool

    @property
    def names(self) -> list[Stack]:
        return stacked(self.items)

    @property
    def open_names(self) -> list[Stack]:
        return stacked(self.open)

    @property
    def is_medicine(self) -> bool:
        return all(one["kind"] == "medication" for one in self.items)


class Coming(Struct, frozen=True):
    """A visit ahead. at: a FHIR date."""

    at: str
    title: str
    place: str


def doses_of(day: Mapping[str, Any], now: datetime) -> list[Dose]:
    """The times of today, the earliest first."""
    found = []
    for one in day["times"]:
        still_open = [item for item in one["items"] if item["act"] in (None, "later")]
        near = datetime.fromisoformat(one["due_at"]) <= now + EARLY
        found.append(Dose(one["due_at"], one["items"], still_open, near))
    return found


def coming(
    appointments: Iterable[Mapping[str, Any]], summary: Mapping[str, Any], now: datetime
) -> list[Coming]:
    """Visits ahead: those booked here, and the days that facilities named, the next one first."""
    found = [
        Coming(one["starts_at"], one["schedule_name"], one["facility_name"])
        for one in appointments
        if one["state"] == "booked" and datetime.fromisoformat(one["starts_at"]) > now
    ]
    named = (section(summary, "care-plans") or {"items": []})["items"]
    today = local_day(now).isoformat()
    found += [
        Coming(one["date"], one["title"], one.get("facility_name") or "")
        for one in named
        if one.get("category") == "appointment" and _day_of(one.get("date") or "") >= today
    ]
    return sorted(found, key=lambda visit: _day_of(visit.at))


def _day_of(text: str) -> str:
    """The day in Vietnam of a FHIR date; a month or a year stays one."""
    return local_day(datetime.fromisoformat(text)).isoformat() if "T" in text else text


def new_results(summary: Mapping[str, Any], now: datetime) -> list[Entry]:
    """The newest result of each test of late: what a doctor should see soon first."""
    since = (local_day(now) - NEW_FOR).isoformat()
    rows = (section(summary, "results") or {"items": []})["items"]
    fresh = [one for one in rows if (one.get("date") or "") >= since]
    return sorted(fresh, key=_weight)[:RESULTS_SHOWN]


def _weight(entry: Entry) -> int:
    flags = [entry.get("flag"), *(part.get("flag") for part in entry.get("parts") or [])]
    return 0 if _SOON.intersection(flags) else 1


def due_doses(schedule: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Vaccinations that are due or late by a confirmed rule: the disease and the dose."""
    return [
        (plan["name_vi"], row)
        for plan in schedule["items"]
        for row in plan["rows"]
        if row["confirmed"] and row["state"] in ("due", "overdue") and row["booked_on"] is None
    ]


def open_alerts(alerts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Alerts that nobody has seen and that are not over."""
    return [one for one in alerts if one["seen_at"] is None and one["closed_at"] is None]


def looks(log: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who but the person looked lately."""
    return [one for one in log if not one["is_own"] and one["actor_kind"] == "practitioner"][:LOOKS_SHOWN]
