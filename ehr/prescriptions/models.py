"""What is stored of prescriptions and what readers are told of them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from msgspec import Struct

from ehr.dosage.models import Dose
from ehr.prescriptions.policy import Dispensed, Kind, Standing, State
from ehr.reads.models import Notice


class CodeRow(Struct, frozen=True):
    """Which prescription a code is. patient_id: whom it was written for; None while that is not certain."""

    code_hash: bytes
    prescription_id: UUID
    source_id: str
    content_sha256: bytes
    state: State
    replaced_by: UUID | None
    patient_id: UUID | None


class PrescriptionRow(Struct, frozen=True):
    """A prescription without what it says."""

    patient_id: UUID
    prescription_id: UUID
    facility_id: UUID
    facility_name: str | None
    code: str
    kind: Kind
    unit: str
    issued_at: datetime
    collect_by: date
    state: State
    replaces_id: UUID | None
    replaced_by: UUID | None


class LineRow(Struct, frozen=True):
    prescription_id: UUID
    line: int
    ordered: Decimal
    unit: str
    dispensed: Decimal


class DispenseRow(Struct, frozen=True):
    """One line of what a pharmacy handed out, in force."""

    prescription_id: UUID
    dispense_id: UUID
    line: int
    quantity: Decimal
    dispensed_on: date
    facility_id: UUID
    facility_name: str | None
    recorded_at: datetime


class Handed(Struct, frozen=True, kw_only=True):
    """A line as it was handed out. quantity: decimal text in the line's unit. dispensed_on: the day in
    Vietnam. pharmacy: its name."""

    quantity: str
    dispensed_on: date
    pharmacy: str | None


class PrescriptionLine(Struct, frozen=True, kw_only=True):
    """One medicine. line: its place in the prescription. medication_id: the same line among the medicines.
    ordered, dispensed, left: decimal texts that count `unit`s; dosage: the prescriber's words."""

    line: int
    medication_id: str
    title: str
    dosage: list[str]
    unit: str
    ordered: str
    dispensed: str
    left: str
    state: Dispensed
    handed_out: list[Handed]


class Prescription(Struct, frozen=True, kw_only=True):
    """state: open, partly or wholly dispensed, lapsed (not collected in time), replaced, withdrawn; state_vi
    says it in words. collect_by: the last day to collect. code: for the person and who acts for the person
    alone. replaces, replaced_by: ids of prescriptions that the reader sees too."""

    prescription_id: UUID
    kind: Kind
    kind_vi: str
    facility_name: str | None
    issued_at: datetime
    collect_by: date
    state: Standing
    state_vi: str
    lines: list[PrescriptionLine]
    code: str | None = None
    replaces: UUID | None = None
    replaced_by: UUID | None = None


class PrescriptionPage(Struct, frozen=True, kw_only=True):
    """Newest first. `next` is opaque; null on the last page."""

    items: list[Prescription]
    next: str | None
    notice: Notice | None


class CounterLine(Struct, frozen=True, kw_only=True):
    """A line as the counter sees it: what it is, how it is taken, how much is left to hand out."""

    line: int
    title: str
    dosage: list[str]
    unit: str
    ordered: str
    dispensed: str
    left: str
    state: Dispensed


class AtCounter(Struct, frozen=True, kw_only=True):
    """What a code opens for a pharmacist: the lines, and nothing of the person or the record."""

    kind: Kind
    issued_at: datetime
    collect_by: date
    state: Standing
    lines: list[CounterLine]


class DispenseReceipt(Struct, frozen=True, kw_only=True):
    """What was recorded, and how the prescription stands after it."""

    dispense_id: UUID
    dispensed_on: date
    taken_back: bool
    prescription: AtCounter


class PlanLine(Struct, frozen=True, kw_only=True):
    """What a plan of doses is made from. line_id: of the row among the medicines. dosage: what was read of
    the prescriber's `text`. ordered, dispensed: in `unit`. state: of its prescription.
    dispensed_on: the last day something of the line was handed out. handed_at: from then on a dose can be
    taken of it: when it was handed out, or the end of that day where the hour was not told; None: from now
    on."""

    line_id: str
    line: int
    title: str
    text: list[str]
    dosage: Dose
    unit: str
    ordered: Decimal
    dispensed: Decimal
    dispensed_on: date | None
    handed_at: datetime | None = None
    collect_by: date
    state: State

    @property
    def is_standing(self) -> bool:
        """Neither replaced nor withdrawn."""
        return self.state == "standing"


class SentReceipt(Struct, frozen=True, kw_only=True):
    """That a prescription was taken: the same whoever it is for (security.md S19). kept_out: how many of its
    parts the rules of the electronic book keep out."""

    code: str
    status: Literal["recorded", "withdrawn"]
    kept_out: int = 0
