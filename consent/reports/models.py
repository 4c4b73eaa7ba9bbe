"""Reports of an access as kept, and as each side sees them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

ReportReason = Literal["not-my-carer", "knows-me", "too-much", "after-the-end", "other"]
ReportState = Literal["open", "acknowledged", "upheld", "not-upheld"]
# What was found decides: the first three uphold the report.
Finding = Literal["no-reason", "by-mistake", "misuse", "was-treatment", "was-emergency", "was-duty"]
NO_FACILITY = UUID(int=0)


class Report(Struct, frozen=True):
    """A row of access_report. seq: of the person's log; facility_id: nil where none stands behind the act."""

    patient_id: UUID
    report_id: UUID
    seq: int
    reason: ReportReason
    state: ReportState
    facility_id: UUID
    actor_kind: str
    actor_id: UUID
    action: str
    basis: str | None
    accessed_at: datetime
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    overdue_at: datetime | None
    acknowledged_at: datetime | None
    finding: Finding | None
    decided_at: datetime | None


class OwnReport(Struct, frozen=True, kw_only=True):
    """What the person sees: the clock and what came of it. seq: of the row of the log that says who it was.
    acknowledge_by: until when the facility is to say that it was received."""

    report_id: UUID
    seq: int
    reason: ReportReason
    state: ReportState
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    acknowledged_at: datetime | None
    finding: Finding | None
    decided_at: datetime | None


class ReportLine(Struct, frozen=True):
    """A line of a facility's or the department's list: nobody's name, and no word of what was looked at."""

    facility_id: UUID
    report_id: UUID
    reason: ReportReason
    state: ReportState
    opened_at: datetime
    acknowledge_by: datetime
    answer_by: datetime
    overdue_at: datetime | None


class ReportFile(Struct, frozen=True, kw_only=True):
    """What whoever answers needs in order to ask: whose log, which of its rows, who acted and when."""

    report_id: UUID
    patient_id: UUID
    seq: int
    actor_id: UUID
    action: str
    basis: str | None
    accessed_at: datetime
    reason: ReportReason
    state: ReportState
    answer_by: datetime
    finding: Finding | None


class Mirror(Struct, frozen=True):
    """Where the other end of a report is."""

    patient_id: UUID
    facility_id: UUID
    overdue_at: datetime | None
