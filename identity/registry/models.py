"""What a registry officer proposes about a person (security.md S10). Every body names persons by their id."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

ActKind = Literal[
    "merge",
    "unmerge",
    "attach-number",
    "replace-number",
    "cancel-number",
    "death-notice",
    "death-withdrawn",
]
Evidence = Literal["verified-identifiers", "documents-seen"]
NumberKind = Literal["national-id", "insurance-card", "insurance-number", "old-id", "passport"]
Number = Annotated[str, Meta(min_length=6, max_length=24)]


class MergeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """merged_id: the record that becomes part of the other one; survivor_id has the number in force."""

    merged_id: UUID
    survivor_id: UUID


class UnmergeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    merge_id: UUID


class NumberBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of a card. value: a passport's with the issuing country before it (`USA|C12345678`).

    replaces: the number of the same kind that it stands for from valid_from on (replace-number only).
    """

    patient_id: UUID
    kind: NumberKind
    value: Number
    valid_from: date
    replaces: Number | None = None


class EndedNumberBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that nobody has any more. valid_until: the last day on which it led to its person."""

    patient_id: UUID
    kind: NumberKind
    value: Number
    valid_until: date


class DeathBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    patient_id: UUID


Body = MergeBody | UnmergeBody | NumberBody | EndedNumberBody | DeathBody
BODIES: dict[str, type[Body]] = {
    "merge": MergeBody,
    "unmerge": UnmergeBody,
    "attach-number": NumberBody,
    "replace-number": NumberBody,
    "cancel-number": EndedNumberBody,
    "death-notice": DeathBody,
    "death-withdrawn": DeathBody,
}


class ActRow(Struct, frozen=True):
    act_id: UUID
    kind: ActKind
    evidence: Evidence
    body: bytes
    reason: str
    state: Literal["proposed", "confirmed", "refused"]
    proposed_by: UUID
    proposed_facility: UUID
    proposed_at: datetime


class WaitingRow(Struct, frozen=True):
    """An act that waits for an officer of another facility."""

    act_id: UUID
    kind: ActKind
    evidence: Evidence
    reason: str
    proposed_facility: UUID
    proposed_at: datetime
