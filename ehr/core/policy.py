"""What is read of a core, how long it counts as fresh, and when somebody waits for it. Pure decisions."""

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

Part = Literal["clinical", "events", "immunizations", "documents"]
LinkState = Literal["unasked", "linked", "absent", "conflict", "mismatch"]

# nothing: read what is there; later: read what is there and let a job ask; now: ask first, within a budget.
Need = Literal["nothing", "later", "now"]
# current: asked lately; stale: older than its hard limit or never; partial: recent data alone, or the core's
# counts did not agree; unclear: nobody can say who the person is there.
Shown = Literal["current", "stale", "partial", "unclear"]

HARD: Final = timedelta(hours=24)
# How far back an interactive first load looks; the rest comes with a job.
RECENT: Final = timedelta(days=730)
# Server clocks differ and searches see writes late: every question for changes reaches back.
OVERLAP: Final = timedelta(minutes=10)
# After a failure nobody waits again for a while.
BACKOFF: Final = timedelta(seconds=15)
UNMATCHED_AGAIN: Final = timedelta(hours=1)
# The visits come with every part: what happened in a sensitive department is known by its visit alone.
VISITS: Final = "Encounter"


class PartRule(Struct, frozen=True):
    """Types of one part, in the order they are asked for, and how long they count as fresh."""

    types: tuple[str, ...]
    soft: timedelta


# Of ehr-core.md §2.3. Documents come as references; their content is not copied.
PARTS: Final[dict[Part, PartRule]] = {
    "clinical": PartRule(
        ("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement"),
        timedelta(seconds=60),
    ),
    "immunizations": PartRule(("Immunization",), timedelta(minutes=5)),
    "events": PartRule(
        (
            *("Observation", "DiagnosticReport", "Procedure", "ImagingStudy", "CarePlan", "Flag"),
            *("DeviceUseStatement", "FamilyMemberHistory"),
        ),
        timedelta(minutes=5),
    ),
    "documents": PartRule(("DocumentReference",), timedelta(minutes=5)),
}
# What every core has: one that does not offer a type of these cannot say "none".
REQUIRED: Final[Part] = "clinical"
# A section says "none" only where its part is current.
SECTION_PART: Final[dict[str, Part]] = {
    "allergies": "clinical",
    "problems": "clinical",
    "medications": "clinical",
}


class LinkRow(Struct, frozen=True):
    """Who the person is at a core."""

    state: LinkState
    core_patient: str | None
    checked_at: datetime


class PartRow(Struct, frozen=True):
    """How far and how lately a part was read. failure: why the last try did not succeed."""

    part: Part
    asked_at: datetime | None
    watermark: datetime | None
    full_at: datetime | None
    failed_at: datetime | None
    whole: bool
    complete: bool
    failure: str | None


def need_of(link: LinkRow | None, parts: list[PartRow], now: datetime) -> Need:
    """Whether a read waits for the core, asks behind the reader's back, or leaves it alone."""
    if link is None or link.state == "unasked":
        return "nothing" if link is not None and now - link.checked_at < BACKOFF else "now"
    if link.state != "linked":
        return "later" if now - link.checked_at >= UNMATCHED_AGAIN else "nothing"
    known = {row.part: row for row in parts}
    needs = {_need_of_part(known.get(part), rule, now) for part, rule in PARTS.items()}
    return "now" if "now" in needs else "later" if "later" in needs else "nothing"


def _need_of_part(row: PartRow | None, rule: PartRule, now: datetime) -> Need:
    if row is not None and row.failed_at is not None and now - row.failed_at < BACKOFF:
        return "nothing"
    if row is None or row.asked_at is None or now - row.asked_at >= HARD:
        return "now"
    return "later" if now - row.asked_at >= rule.soft or not row.whole else "nothing"


def parts_to_ask(parts: list[PartRow], now: datetime) -> list[Part]:
    """The parts that are not fresh, most important first."""
    known = {row.part: row for row in parts}
    return [part for part, rule in PARTS.items() if not _is_fresh(known.get(part), rule, now)]


def _is_fresh(row: PartRow | None, rule: PartRule, now: datetime) -> bool:
    return row is not None and row.whole and row.asked_at is not None and now - row.asked_at < rule.soft


def currency_of(link: LinkRow | None, row: PartRow | None, now: datetime) -> Shown:
    """How far a part of the record can be relied on."""
    if link is not None and link.state in ("conflict", "mismatch"):
        return "unclear"
    if row is None or row.asked_at is None or now - row.asked_at >= HARD:
        return "stale"
    return "current" if row.whole and row.complete else "partial"
