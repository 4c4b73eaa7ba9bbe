"""In which order people are told, how long each has, and how often a day. Pure; the times are those of the
design (escalation), the rest is ours."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from notifications.models import NotificationType
from vitals.alerts.models import CRITICAL, WARN, AlertRow, Severity
from vitals.telling.models import DeliveryRow

# How long somebody has to say that it was seen, before the next one is told.
WAIT: Final[dict[Severity, timedelta]] = {CRITICAL: timedelta(minutes=5), WARN: timedelta(minutes=30)}
# How long a notice rings at all: a phone that was off says nothing of an hour ago.
LIFE: Final[dict[Severity, timedelta]] = {CRITICAL: timedelta(hours=1), WARN: timedelta(hours=2)}
ENDED_LIFE: Final = timedelta(hours=6)
# Of warnings, whoever they are about, with the word that one ended.
WARN_PUSHES_A_DAY: Final = 6
CAPPED: Final[frozenset[NotificationType]] = frozenset(
    {"vital-alert", "dependent-alert", "vital-alert-ended"}
)
# An alert that somebody else is telling of just now is looked at again so much later.
AGAIN: Final = timedelta(seconds=1)
# Of one severity; beyond it nobody is told any more.
STEPS_MAX: Final = 99


def chain_of(
    person: UUID, guardians: Sequence[UUID], followers: Sequence[UUID], *, owner_id: UUID | None
) -> list[UUID]:
    """Who is told, one after the other. guardians: of a dependent, who come first; owner_id: whose own limit
    it is, who alone is told."""
    if owner_id is not None:
        return [owner_id]
    order = [*guardians, person] if guardians else [person]
    return list(dict.fromkeys([*order, *followers]))


def next_of(chain: Sequence[UUID], alert: AlertRow, told: Sequence[DeliveryRow]) -> UUID | None:
    """Who is told now; None: nobody any more. Whoever was told of this severity is not told again, until
    somebody said that it was seen and it woke."""
    of_round = {
        one.recipient_id
        for one in told
        if one.severity >= alert.severity and (alert.acked_at is None or one.at > alert.acked_at)
    }
    return next((one for one in chain if one not in of_round), None)


def step_of(alert: AlertRow, told: Sequence[DeliveryRow]) -> int | None:
    """The number of the next step; None where there were too many."""
    so_far = sum(one.severity == alert.severity for one in told)
    return alert.severity * 100 + so_far if so_far < STEPS_MAX else None


def goes_on(alert: AlertRow, *, is_first: bool) -> bool:
    """Whether anybody (else) is to hear of it. What was over when it came is told once all the same."""
    return alert.status == "active" or (is_first and alert.status == "closed")


def type_of(severity: Severity, *, is_about_another: bool) -> NotificationType:
    if severity == CRITICAL:
        return "dependent-alert-critical" if is_about_another else "vital-alert-critical"
    return "dependent-alert" if is_about_another else "vital-alert"
