"""What readings are judged by, and what is found."""

from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

# default: of the set that ships; the rest is whose limit it is.
OwnerRole: TypeAlias = Literal["default", "citizen", "doctor", "guardian", "follower"]
Direction: TypeAlias = Literal[-1, 1]
# reading: each value; week-average: the mean of 7 days of home readings; rate: change per minute.
# lasting: a value that stays outside; no-data: nothing read any more.
Measure: TypeAlias = Literal["reading", "week-average", "rate", "lasting", "no-data"]
# active: outside and nobody said that it is seen; acked: seen, or silenced before it began; retracted: its
# readings were edited or deleted, so that it never was.
Status: TypeAlias = Literal["active", "acked", "closed", "retracted"]
Severity: TypeAlias = Literal[1, 2]
WARN: Final[Severity] = 1
CRITICAL: Final[Severity] = 2
LOW: Direction = -1
HIGH: Direction = 1


class Rule(Struct, frozen=True, kw_only=True):
    """One direction of one kind for one owner.

    rule_id: stays through all versions; ver: counts the changes of a person's rule, 1 for a default one.
    set_version: of the default set that was in force, whose machine values these are. name: of a default
    rule, or of the one whose critical limit stands in a person's rule. owner_id: None for a default rule.
    is_personal: alerts its owner alone (a guardian's or follower's).

    kind: the stored number. warn, crit: the first stored value that is outside, so high is `v >= warn` and
    low is `v <= warn` whatever unit the limit was set in; None where the severity has none. warn2, crit2: the
    same of the diastolic value. at_once: outside this no confirmation is waited for. clear, clear2: a week's
    average at or beyond this (high: `<=`) is normal again; None: as soon as it is inside.

    hysteresis: stored integer. confirm_n readings within confirm_s make a warning, crit_confirm_n a critical
    one. sensor_stale_s: how late a continuous sensor's value may come, stale_after_s: every other one.
    is_silent: told in the app, never pushed. no_data_s: after so long without data its owner hears so, of a
    rule about that. lasts_s: so long, without a value inside and without gap_s between two values, of a rule
    about what lasts. quiet: wall times between which warnings wait, HH:MM.
    """

    rule_id: UUID
    ver: int
    set_version: str
    owner_role: OwnerRole
    kind: int
    direction: Direction
    name: str | None = None
    owner_id: UUID | None = None
    measure: Measure = "reading"
    warn: int | None = None
    crit: int | None = None
    warn2: int | None = None
    crit2: int | None = None
    at_once: int | None = None
    clear: int | None = None
    clear2: int | None = None
    hysteresis: int = 0
    confirm_n: int = 3
    confirm_s: int = 600
    crit_confirm_n: int = 2
    cooldown_s: int = 1800
    stale_after_s: int = 3600
    sensor_stale_s: int = 3600
    is_silent: bool = False
    no_data_s: int = 0
    lasts_s: int = 0
    gap_s: int = 0
    quiet: tuple[str, str] | None = None

    @property
    def is_personal(self) -> bool:
        return self.owner_role in ("guardian", "follower")


class AlertRow(Struct, frozen=True):
    """One episode outside the limits of one rule, as table alert.

    owner_role, owner_id: of the rule (a guardian's or follower's is told to its owner alone). is_silent: seen
    in the app, never pushed. from_t: where a second look begins, by the server's clock; first_t, last_t: of
    the readings outside, as sent; peak_v, peak_v2: the furthest outside, stored integers. inputs: JSON,
    limits and the readings that confirmed it. closed_t: when it was over by the readings; opened_at,
    acked_at, closed_at: of the server. measure: of the rule.
    """

    patient_id: UUID
    alert_id: UUID
    rule_id: UUID
    rule_ver: int
    set_version: str
    owner_role: OwnerRole
    owner_id: UUID | None
    kind: int
    direction: Direction
    severity: Severity
    status: Status
    is_silent: bool
    from_t: datetime
    first_t: datetime
    last_t: datetime
    peak_v: int
    peak_v2: int | None
    inputs: str
    opened_at: datetime
    acked_at: datetime | None
    acked_by: UUID | None
    closed_t: datetime | None
    closed_at: datetime | None
    measure: Measure = "reading"
