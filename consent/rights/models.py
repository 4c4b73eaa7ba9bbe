"""Requests about one's own data, erasures and breaches."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

RightsKind = Literal["access", "erasure", "closing", "restriction", "objection"]
RightsOutcome = Literal["done", "refused", "cancelled"]
ErasureState = Literal["waiting", "cancelled", "erasing", "sweeping", "erased"]


class RightsRequest(Struct, frozen=True):
    """answer_by, done_by: the law's terms, as the extension left them."""

    patient_id: UUID
    request_id: UUID
    kind: RightsKind
    opened_at: datetime
    answer_by: datetime
    done_by: datetime
    extended_at: datetime | None
    answered_at: datetime | None
    done_at: datetime | None
    outcome: RightsOutcome | None


class Erasure(Struct, frozen=True):
    patient_id: UUID
    request_id: UUID
    state: ErasureState
    asked_at: datetime
    due_at: datetime
    began_at: datetime | None
    done_at: datetime | None


class NewBreach(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened, in words that name nobody. kinds: which kinds of data. people: how many, as far as
    known."""

    noticed_at: datetime
    kinds: Annotated[
        list[Literal["identity", "contact", "record", "sensitive-record", "access-log", "credentials"]],
        Meta(min_length=1, max_length=6),
    ]
    people: Annotated[int, Meta(ge=0, le=200_000_000)]
    happened: Annotated[str, Meta(min_length=10, max_length=2000)]
    measures: Annotated[str, Meta(min_length=10, max_length=2000)]


class Breach(Struct, frozen=True):
    """notify_by: 72 hours after it was noticed; authority_ref: the authority's receipt."""

    breach_id: UUID
    noticed_at: datetime
    notify_by: datetime
    kinds: list[str]
    people: int
    happened: str
    measures: str
    recorded_by: str
    recorded_at: datetime
    people_told: int
    authority_told_at: datetime | None
    authority_ref: str | None
    closed_at: datetime | None
