"""One check of a card at the desk, and what it means."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from visits.coverage_check.ports import Failure

# unknown: the gateway answered with a code whose meaning nobody confirmed; not-checked: it did not answer.
Outcome = Literal["usable", "problem", "unknown", "not-checked"]


class Meaning(Struct, frozen=True, kw_only=True):
    """What a code says to the person, and what the clerk does next."""

    outcome: Outcome
    person_vi: str
    person_en: str
    clerk_vi: str
    clerk_en: str


class Check(Struct, frozen=True):
    """A check as it is kept: neither number nor name. code: None without an answer; `failure` says why."""

    check_id: UUID
    arrival_id: UUID
    asked_at: datetime
    answered_at: datetime | None
    code: str | None
    failure: Failure | None
