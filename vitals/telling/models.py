"""An alert as it is told and shown."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from vitals.alerts.models import Measure, Status
from vitals.rules.models import RuleKind, Way

# told: in the inbox, and pushed as its person has it. silent: in the inbox alone. capped: the day had its
# warnings, so in the inbox alone. ended: who was to hear may not any more.
DeliveryStatus: TypeAlias = Literal["told", "silent", "capped", "ended"]
SeverityName: TypeAlias = Literal["warn", "critical"]


class DeliveryRow(Struct, frozen=True):
    """One step: hundreds are the severity, the rest the place in the order."""

    recipient_id: UUID
    step: int
    notification_id: UUID | None
    status: DeliveryStatus
    at: datetime

    @property
    def severity(self) -> int:
        return self.step // 100


class AckBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """snooze_s: for how long this direction stays silent, in this severity and what is milder; 30 minutes
    where nothing is said, at most 4 hours for a warning and 1 for what is critical. It never ends a longer
    silence, and silences nothing where the alert has been over for as long.

    severity: what whoever says it saw; an alert that has become critical since a warning was shown is not
    seen by that. Not said: however severe it is now."""

    severity: SeverityName | None = None
    snooze_s: Annotated[int, Meta(ge=0, le=14_400)] = 1800


class Acked(Struct, frozen=True):
    """snoozed_until: of the alert's severity, by this or an earlier word; None where nothing is silenced."""

    alert_id: UUID
    status: Status
    snoozed_until: datetime | None


class ShownAlert(Struct, frozen=True, kw_only=True):
    """One alert as its people read it. title_vi: of the kind, as people call it. value, value2: the furthest
    outside, in `unit`. set_by: whose limit it was. measure: what it is about; `no-data`: a device that
    measures all the time gives nothing any more, value and first_at are its last reading. seen_at: when
    somebody said that it was seen; is_silent: never pushed. text: what to do."""

    alert_id: UUID
    kind: RuleKind
    title_vi: str
    direction: Way
    measure: Measure
    severity: SeverityName
    status: Status
    is_silent: bool
    set_by: str
    rule_id: UUID
    rule_version: int
    set_version: str
    value: float
    unit: str
    first_at: datetime
    last_at: datetime
    opened_at: datetime
    text: str
    value2: float | None = None
    seen_at: datetime | None = None
    seen_by_me: bool = False
    closed_at: datetime | None = None


class AlertList(Struct, frozen=True, kw_only=True):
    """Newest first. next: for the next page."""

    alerts: list[ShownAlert]
    notice: str
    next: str | None = None
