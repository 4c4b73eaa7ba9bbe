"""What staff type, whom they are shown, and how look-ups ended."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from identity.models import Sex

LookUpKind = Literal["national-id", "insurance-card", "insurance-number", "phone"]
# Numbers that stand on a card which a person shows.
CardKind = Literal["national-id", "insurance-card", "insurance-number", "old-id", "passport"]
# Closed, and recorded in the log of whoever is shown.
Purpose = Literal["check-in", "booking", "coverage", "results", "referral"]
# How a look-up ended: found, or a reason for which it did not. What is told is what is counted: a number that
# was somebody's once is unknown, else the rate would tell it (security.md S19).
Outcome = Literal["found", "bad-form", "unknown", "too-many"]
# How a try to match one more fact ended.
Tried = Literal["matched", "differs", "used-up"]
Counted = Literal["found", "bad-form", "unknown", "too-many", "matched", "differs", "used-up"]

CANDIDATES_MAX: Final = 5
# Ours: a person at the counter is asked for a name or a birth date at once.
CANDIDATE_TTL: Final = timedelta(minutes=15)


class LookUp(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """value: the number as it was read or typed. purpose: what for; no free text."""

    kind: LookUpKind
    value: Annotated[str, Meta(min_length=1, max_length=100)]
    purpose: Purpose


class Fact(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One more fact, exactly one of the two. candidate: as the look-up gave it. name: the whole name, with
    tone marks or without. birth_date: the whole date."""

    candidate: Annotated[str, Meta(min_length=1, max_length=1000)]
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    birth_date: date | None = None


class Candidate(Struct, kw_only=True, frozen=True):
    """Somebody whom the number can mean. candidate: names the person to this account for 15 minutes, and
    opens nothing. initials: of the name; null, as birth_year, where the book does not know it."""

    candidate: str
    initials: str | None
    birth_year: str | None


class LookedUp(Struct, kw_only=True, frozen=True):
    """At most five people. outcome: why nobody is there; next_*: what the desk does now."""

    outcome: Outcome
    next_vi: str
    next_en: str
    candidates: list[Candidate]


class CardNumber(Struct, kw_only=True, frozen=True):
    """end: the last three signs, to compare with the card."""

    kind: CardKind
    end: str


class MatchedPerson(Struct, kw_only=True, frozen=True):
    """After one more fact agreed. name, birth_date and sex after a number of a card; after a phone number
    only what the desk said itself (security.md S19). numbers: what stands on cards of the person, each once.
    candidate: another text than the look-up's, and the one that an arrival takes."""

    candidate: str
    name: str | None
    birth_date: str | None
    sex: Sex | None
    numbers: list[CardNumber]


class Opened(Struct, frozen=True, kw_only=True):
    """What a candidate's text holds, sealed under the facility's id."""

    patient_id: UUID
    actor_id: UUID
    kind: LookUpKind
    purpose: Purpose
    until: datetime
    is_matched: bool


class CountRow(Struct, frozen=True):
    kind: LookUpKind
    outcome: Counted
    times: int


class FacilityCountRow(Struct, frozen=True):
    facility_id: UUID
    facility_name: str
    outcome: Counted
    times: int
