"""From episodes to alerts: which of them is told, which alert stands for which, and what was none after
all. Pure.

Late data never alarms: an alert begins only while the last reading outside is not late. An alert that stands
is kept by its episode however late the look is; one whose episode is gone was edited or deleted away.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vitals.alerts.models import CRITICAL, WARN, AlertRow, Rule, Severity, Status
from vitals.alerts.policy import SECOND, Episode
from vitals.kinds import KINDS

# A blood pressure of the last day that arrives late is shown, silently.
LATE_NOTICE_S: Final = 24 * 3600
_PRESSURE: Final = KINDS["blood-pressure"].number
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Snooze(NamedTuple):
    """Silence for one direction of one rule: of warnings until then, of what is critical no longer."""

    warn_until: datetime
    critical_until: datetime | None = None

    def holds(self, severity: Severity, now: datetime) -> bool:
        until = self.warn_until if severity == WARN else self.critical_until
        return until is not None and now < until


class Settled(Struct):
    """opened, worsened, retracted: to be told. changed: rows to write whose person hears nothing of it: an
    alert that went on, closed, or that another one stands for now."""

    opened: list[AlertRow] = []
    worsened: list[AlertRow] = []
    retracted: list[AlertRow] = []
    changed: list[AlertRow] = []

    def take(self, other: "Settled") -> None:
        self.opened += other.opened
        self.worsened += other.worsened
        self.retracted += other.retracted
        self.changed += other.changed


class Situation(NamedTuple):
    """What alerts are settled in. cooled_at: no further warning begins before, microseconds."""

    patient_id: UUID
    rule: Rule
    snooze: Snooze | None
    now: datetime
    make_id: Callable[[], UUID]
    cooled_at: int = 0

    def is_silenced(self, severity: Severity) -> bool:
        return self.snooze is not None and self.snooze.holds(severity, self.now)


def at(t: int) -> datetime:
    return _EPOCH + timedelta(microseconds=t)


def micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def settle(here: Situation, episodes: Sequence[Episode], alerts: Sequence[AlertRow]) -> Settled:
    """episodes: all of the times looked at, in order; alerts: the rule's there, without retracted ones."""
    settled, left = Settled(), sorted(alerts, key=lambda one: (one.first_t, one.opened_at, one.alert_id))
    cooled_at = here.cooled_at
    for episode in episodes:
        known = next((one for one in left if _overlaps(one, episode)), None)
        if known is not None:
            left.remove(known)
        row = _row_of(here, episode, known, cooled_at)
        if row is not None:
            _sort_in(settled, here, known, row)
            if episode.closed_t is not None:
                cooled_at = episode.closed_t + here.rule.cooldown_s * SECOND
        elif known is not None:
            settled.changed.append(_gone(here, known))
    for one in left:
        _let_go(settled, here, one, episodes)
    return settled


def _overlaps(alert: AlertRow, episode: Episode) -> bool:
    return micros(alert.first_t) <= episode.last_t and episode.first_t <= micros(alert.last_t)


def _let_go(settled: Settled, here: Situation, alert: AlertRow, episodes: Iterable[Episode]) -> None:
    """An alert without an episode of its own."""
    if alert.rule_ver != here.rule.ver or alert.set_version != here.rule.set_version:
        # Judged by other limits, which held then.
        if alert.closed_at is None:
            settled.changed.append(closed(alert, here.now))
    elif any(_overlaps(alert, episode) for episode in episodes):
        settled.changed.append(_gone(here, alert))
    else:
        settled.retracted.append(_gone(here, alert))


def closed(alert: AlertRow, now: datetime) -> AlertRow:
    """An alert that ends with its rule."""
    return replace(alert, status="closed", closed_t=alert.last_t, closed_at=now)


def _gone(here: Situation, alert: AlertRow) -> AlertRow:
    return replace(alert, status="retracted", closed_at=here.now)


def _row_of(here: Situation, episode: Episode, known: AlertRow | None, cooled_at: int) -> AlertRow | None:
    """The alert of an episode; None where there is none to be."""
    severity = _severity(here, episode, known)
    if severity == WARN and episode.last_t < cooled_at:
        return None
    since = _since(here, known)
    is_told = micros(here.now if known is not None and known.is_silent else since) <= _fresh_until(
        episode, severity
    )
    if not is_told and not _is_noticed(here, episode, since):
        return None
    base = known if known is not None else _begun(here, episode)
    over = episode.closed_t is not None
    return replace(
        base,
        severity=severity,
        status="closed" if over else _status(here, episode, severity, known),
        is_silent=here.rule.is_silent or not is_told,
        from_t=min(base.from_t, _from(here.rule, episode)),
        first_t=at(episode.first_t),
        last_t=at(episode.last_t),
        peak_v=episode.peak_v,
        peak_v2=episode.peak_v2,
        inputs=base.inputs if _is_of_another_rule(here, base) else inputs_of(here.rule, episode),
        closed_t=None if episode.closed_t is None else at(episode.closed_t),
        closed_at=(base.closed_at or here.now) if over else None,
    )


def _is_of_another_rule(here: Situation, alert: AlertRow) -> bool:
    return (alert.rule_ver, alert.set_version) != (here.rule.ver, here.rule.set_version)


def _severity(here: Situation, episode: Episode, known: AlertRow | None) -> Severity:
    """Critical while that is not late, or where it was told as such."""
    if episode.critical_until is None:
        return WARN
    since = _since(here, known) if known is not None and known.severity == CRITICAL else here.now
    is_only = here.rule.warn is None
    return CRITICAL if is_only or micros(since) <= episode.critical_until else WARN


def _since(here: Situation, known: AlertRow | None) -> datetime:
    """By which hour an episode is late: now, or when its alert began."""
    return here.now if known is None else known.opened_at


def _fresh_until(episode: Episode, severity: Severity) -> int:
    critical = episode.critical_until
    return critical if severity == CRITICAL and critical is not None else episode.fresh_until


def _is_noticed(here: Situation, episode: Episode, since: datetime) -> bool:
    late_s = LATE_NOTICE_S - here.rule.stale_after_s
    return here.rule.kind == _PRESSURE and micros(since) <= episode.fresh_until + late_s * SECOND


def _status(here: Situation, episode: Episode, severity: Severity, known: AlertRow | None) -> Status:
    """While an episode goes on. What was seen or silenced stays so until its silence ends, and wakes by a
    reading that is not late, or at once by a higher severity than was silenced."""
    was_told = known is not None and not known.is_silent
    if known is not None and was_told and known.status == "active" and severity <= known.severity:
        return "active"
    if here.is_silenced(severity):
        return "acked"
    is_asleep = known is not None and known.status == "acked" and severity <= known.severity
    is_late = micros(here.now) > _fresh_until(episode, severity)
    return "acked" if is_asleep and is_late else "active"


def _from(rule: Rule, episode: Episode) -> datetime:
    """Where a second look begins, by the server's clock as looks are: by a phone's that is behind it would go
    further back than the first. Of what lasts, with all that it lasted."""
    return at(episode.first_t + max(episode.lag, 0) - (rule.lasts_s + rule.gap_s) * SECOND)


def _begun(here: Situation, episode: Episode) -> AlertRow:
    times = _from(here.rule, episode), at(episode.first_t), at(episode.last_t)
    peak = episode.peak_v, episode.peak_v2
    return begun(here.patient_id, here.make_id(), here.rule, episode.severity, times, peak, here.now)


def begun(
    patient_id: UUID,
    alert_id: UUID,
    rule: Rule,
    severity: Severity,
    times: tuple[datetime, datetime, datetime],
    peak: tuple[int, int | None],
    now: datetime,
) -> AlertRow:
    """An alert of a rule that nobody saw yet. times: from_t, first_t, last_t; peak: both values."""
    return AlertRow(
        patient_id=patient_id,
        alert_id=alert_id,
        rule_id=rule.rule_id,
        rule_ver=rule.ver,
        set_version=rule.set_version,
        owner_role=rule.owner_role,
        owner_id=rule.owner_id,
        kind=rule.kind,
        direction=rule.direction,
        severity=severity,
        status="active",
        is_silent=False,
        from_t=times[0],
        first_t=times[1],
        last_t=times[2],
        peak_v=peak[0],
        peak_v2=peak[1],
        inputs="",
        opened_at=now,
        acked_at=None,
        acked_by=None,
        closed_t=None,
        closed_at=None,
        measure=rule.measure,
    )


def inputs_of(rule: Rule, episode: Episode) -> str:
    """JSON: the limits as they were, and the readings that confirmed the episode."""
    limits = {
        name: getattr(rule, name) for name in ("warn", "warn2", "crit", "crit2", "at_once", "hysteresis")
    }
    body = {
        "limits": {name: limit for name, limit in limits.items() if limit is not None},
        "readings": [{"t": at(mark.t), "v": mark.v, "v2": mark.v2} for mark in episode.marks],
        "confirmed_at": at(episode.trigger_t),
    }
    return msgspec.json.encode(body).decode()


def _sort_in(settled: Settled, here: Situation, known: AlertRow | None, row: AlertRow) -> None:
    """What of it is told. An alert that was silenced before it began, or until now, is told when the silence
    ends and it still stands; one that was over by then is not. What is critical and goes on after it was over
    is told to whoever comes next."""
    if row == known:
        return
    is_told = row.status != "acked" and not here.is_silenced(row.severity)
    woke = ("acked",) if row.severity == WARN else ("acked", "closed")
    if known is None or (known.is_silent and not row.is_silent):
        (settled.opened if is_told else settled.changed).append(row)
    elif is_told and (row.severity > known.severity or (known.status in woke and row.status == "active")):
        settled.worsened.append(row)
    else:
        settled.changed.append(row)
