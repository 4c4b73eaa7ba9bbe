"""Somebody saw an alert, and wants silence: of this rule in its direction, this severity and milder."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from store.database import Tx
from vitals.alerts import queries
from vitals.alerts.models import CRITICAL, WARN, AlertRow, Severity

SNOOZE_MAX_S: Final[dict[Severity, int]] = {WARN: 4 * 3600, CRITICAL: 3600}


class Seen(NamedTuple):
    """The alert as it is afterwards. snoozed_until: how long its severity is silent now, None: it is not."""

    alert: AlertRow
    snoozed_until: datetime | None


async def acknowledge(
    tx: Tx, patient_id: UUID, alert_id: UUID, by: UUID, snooze_s: int, now: datetime
) -> Seen | None:
    """None where there is no such alert, or none any more. snooze_s: no longer than SNOOZE_MAX_S of its
    severity; it never ends a longer silence, and of what was over for that long silences nothing. The first
    who saw the alert stays named, until it wakes and is seen again."""
    await queries.LOCK_HEAD.one(tx, patient_id)
    alert = await queries.BY_ID.one(tx, patient_id, alert_id)
    if alert is None or alert.status == "retracted":
        return None
    assert 0 <= snooze_s <= SNOOZE_MAX_S[alert.severity], "the body was checked"
    is_first = alert.status == "active" or alert.acked_at is None
    seen = replace(
        alert,
        status="acked" if alert.status == "active" else alert.status,
        acked_at=now if is_first else alert.acked_at,
        acked_by=by if is_first else alert.acked_by,
    )
    await queries.save(tx, [seen])
    return Seen(seen, await _silence(tx, alert, timedelta(seconds=snooze_s), now))


async def _silence(tx: Tx, alert: AlertRow, length: timedelta, now: datetime) -> datetime | None:
    """Until when the alert's severity is silent, with what was silenced before."""
    is_long_over = alert.closed_at is not None and alert.closed_at + length <= now
    until = now if is_long_over else now + length
    critical_until = until if alert.severity == CRITICAL else None
    asked = (alert.patient_id, alert.rule_id, alert.direction, until, critical_until)
    snoozed = await queries.SNOOZE.one(tx, *asked)
    assert snoozed is not None, "a row is there now"
    silent = snoozed.snooze_until if alert.severity == WARN else snoozed.snooze_critical_until
    return silent if silent is not None and silent > now else None
