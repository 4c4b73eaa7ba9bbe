"""Saying that an alert was seen, and the list of alerts."""

from datetime import datetime
from typing import Final
from uuid import UUID

from ehr.reads.models import Built
from ehr.reads.raw import encode
from kernel.access import Access
from kernel.ids import bucket_of
from kernel.paging import decode_cursor, encode_cursor
from kernel.problems import Refused
from notifications.preferences import read_preferences
from store.database import Tx
from store.due_queue import disarm
from store.outbox import emit
from vitals.alerts.acknowledging import SNOOZE_MAX_S, acknowledge
from vitals.alerts.models import CRITICAL, HIGH, AlertRow
from vitals.alerts.queries import BY_ID, LOCK_HEAD
from vitals.conditions.service import sees_diagnoses
from vitals.kinds import BY_NUMBER, shown
from vitals.rules.queries import IN_FORCE
from vitals.rules.texts import KIND_VI
from vitals.sight import sight_of
from vitals.telling import queries
from vitals.telling.models import AckBody, Acked, AlertList, ShownAlert
from vitals.telling.problems import ALERT_WORSENED, NO_SUCH_ALERT, SNOOZE_TOO_LONG
from vitals.telling.service import JOB
from vitals.telling.texts import NOTICE_VI, text_of

ACKED: Final = "vitals.alert-acked"
_NEWEST: Final = UUID(int=(1 << 128) - 1)


async def ack(tx: Tx, access: Access, alert_id: UUID, body: AckBody, now: datetime) -> Acked | Refused:
    """Stops the chain, tells the others and silences this direction for a while. Again only lengthens the
    silence. Refused: no-such-alert, alert-worsened, alert-snooze-too-long."""
    me, alert = access.actor.actor_id, await _alert(tx, access, alert_id)
    if alert is None or alert.status == "retracted" or not _is_seen(alert, me):
        return Refused(problem=NO_SUCH_ALERT)
    if body.severity == "warn" and alert.severity == CRITICAL:
        return Refused(problem=ALERT_WORSENED, where="severity")
    if body.snooze_s > SNOOZE_MAX_S[alert.severity]:
        return Refused(problem=SNOOZE_TOO_LONG, where="snooze_s")
    person = alert.patient_id
    seen = await acknowledge(tx, person, alert_id, me, body.snooze_s, now)
    assert seen is not None, "under its person's lock"
    await disarm(tx, bucket_of(person), JOB, f"{person}:{alert_id}")
    said = {"alert_id": str(alert_id), "by": str(me)}
    if body.snooze_s and not access.is_own and _was_silent(alert):
        said["again_at"] = now.isoformat()
    await emit(tx, person, ACKED, said, now)
    return Acked(alert_id, seen.alert.status, seen.snoozed_until)


async def _alert(tx: Tx, access: Access, alert_id: UUID) -> AlertRow | None:
    """Under the lock of its person's measurements, so that no batch writes over it."""
    for person in (access.patient_id, *sorted(access.origins)):
        if await BY_ID.one(tx, person, alert_id) is not None:
            await LOCK_HEAD.one(tx, person)
            return await BY_ID.one(tx, person, alert_id)
    return None


def _was_silent(alert: AlertRow) -> bool:
    """A critical one that was seen before, or that began in a silence: this word only makes it longer."""
    is_again = alert.status == "acked" or (alert.status == "closed" and alert.acked_at is not None)
    return is_again and alert.severity == CRITICAL


def _is_seen(alert: AlertRow, me: UUID) -> bool:
    return alert.owner_role not in ("guardian", "follower") or alert.owner_id == me


async def read(tx: Tx, access: Access, cursor: str | None, limit: int) -> Built:
    """A page of the book's alerts, newest first."""
    seen = sight_of(access)
    after = _NEWEST if cursor is None else decode_cursor(cursor, tuple[UUID])[0]
    rows = list[AlertRow]()
    for person in seen.people if seen else ():
        asked = (person, access.actor.actor_id, after, seen.since, seen.until, limit) if seen else ()
        rows += await queries.PAGE.all(tx, *asked)
    page = sorted(rows, key=lambda row: row.alert_id, reverse=True)[:limit]
    found = await IN_FORCE.one(tx, access.patient_id)
    assert found is not None
    zone = (await read_preferences(tx, access.patient_id)).zone
    me, confirmed, knows = access.actor.actor_id, frozenset(found.confirmed), sees_diagnoses(access)
    body = AlertList(
        alerts=[_one(row, me, text_of(row, zone, confirmed), _version(row, knows=knows)) for row in page],
        notice=NOTICE_VI,
        next=encode_cursor(str(page[-1].alert_id)) if len(page) == limit else None,
    )
    return Built(encode(body), [])


def _version(row: AlertRow, *, knows: bool) -> int:
    """A default limit's version says whether a disease moved it: it is for who sees diagnoses (knows)."""
    return row.rule_ver if knows or row.owner_role != "default" else 1


def _one(row: AlertRow, me: UUID, text: str, version: int) -> ShownAlert:
    kind = BY_NUMBER[row.kind]
    return ShownAlert(
        alert_id=row.alert_id,
        kind=kind.name,  # type: ignore[arg-type]
        title_vi=KIND_VI[kind.name],  # type: ignore[index]
        direction="high" if row.direction == HIGH else "low",
        measure=row.measure,
        severity="critical" if row.severity == CRITICAL else "warn",
        status=row.status,
        is_silent=row.is_silent,
        set_by=row.owner_role,
        rule_id=row.rule_id,
        rule_version=version,
        set_version=row.set_version,
        value=shown(kind, row.peak_v),
        value2=None if row.peak_v2 is None else shown(kind, row.peak_v2),
        unit=kind.unit,
        first_at=row.first_t,
        last_at=row.last_t,
        opened_at=row.opened_at,
        text=text,
        seen_at=row.acked_at,
        seen_by_me=row.acked_by == me,
        closed_at=row.closed_at,
    )
