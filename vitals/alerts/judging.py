"""Alerts of the readings that a transaction changed: begun, moved, closed and taken back in that transaction.

What stands afterwards comes of what is stored and of the hour, never of the order in which it came
(vitals/alerts/looking.py). Most batches touch no limit and no alert: they end after two statements.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from identity.people import demographics
from kernel.ids import bucket_of, uuid7
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from vitals.alerts import queries
from vitals.alerts.loading import load, load_moving
from vitals.alerts.looking import (
    EVER,
    Checkpoint,
    Kept,
    Span,
    asked,
    clear_between,
    is_concerned,
    look,
    memory_s,
    merged,
    resumed,
    spans_of,
)
from vitals.alerts.models import HIGH, AlertRow, Rule
from vitals.alerts.rules import rules_for
from vitals.alerts.settling import Settled, Snooze, at, closed, micros
from vitals.alerts.silence import listen
from vitals.alerts.telling import tell
from vitals.kinds import KINDS
from vitals.models import Touched

JOB: Final = "vital-alert"
_T = TypeVar("_T", Rule, AlertRow)
# A look that would have to wait for a batch.
AGAIN: Final = timedelta(seconds=1)
_HEART: Final = KINDS["heart-rate"].number
_STEPS: Final = KINDS["steps"].number


async def judge(
    tx: Tx, patient_id: UUID, birth: str | None, touched: Sequence[Touched], now: datetime
) -> list[UUID]:
    """Ids of the alerts that were opened. birth: FHIR partial date, by which default rules apply. The caller
    holds the person's head."""
    seen = [*touched, *(_of_heart(one) for one in touched if one.kind == _STEPS)]
    kinds = {one.kind for one in seen}
    rules = [rule for rule in await rules_for(tx, patient_id, birth, now, kinds) if rule.kind in kinds]
    if not rules:
        return []
    found = await _standing(tx, patient_id, rules, seen, now)
    rules, unheard = _apart(rules)
    alerts, silences = _apart(found)
    concerned = {one.kind for one in alerts} | {
        rule.kind for rule in rules for one in seen if one.kind == rule.kind and is_concerned(rule, one, now)
    }
    settled = Settled()
    for kind in sorted(concerned):
        of_kind = [rule for rule in rules if rule.kind == kind]
        known = [one for one in alerts if one.kind == kind]
        since = micros(min(one.since for one in seen if one.kind == kind))
        await _judge_kind(tx, patient_id, of_kind, known, since, now, settled)
    for kind in sorted({one.kind for one in unheard} | {one.kind for one in silences}):
        await listen(tx, patient_id, kind, unheard, silences, now, settled)
    await _write(tx, settled, now)
    return [row.alert_id for row in settled.opened]


async def look_again(tx: Tx, keys: KeyRing, ref: str, now: datetime) -> datetime | None:
    """What time alone changes: a critical measurement that nothing followed, an alert that nothing is read
    of any more, a device that gives nothing. Arms itself. ref: person and kind.

    The timer's row is taken already, and a batch that holds the head may be waiting for that row: so nobody
    waits for the head here. The batch judges in any case; whoever finds the head held looks a second later.
    """
    patient, kind = ref.split(":")
    patient_id = UUID(patient)
    if await queries.TRY_HEAD.one(tx, patient_id) is None:
        return now + AGAIN if await queries.HAS_HEAD.one(tx, patient_id) else None
    person = await demographics(tx, keys, patient_id)
    rules = await rules_for(tx, patient_id, person.birth_date if person else None, now, {int(kind)})
    of_kind, settled = [rule for rule in rules if rule.kind == int(kind)], Settled()
    alerts = await queries.STANDING.all(
        tx, patient_id, [int(kind)], _forgotten(of_kind, now), now, [], [], []
    )
    (judged, unheard), (known, silences) = _apart(of_kind), _apart(alerts)
    await _judge_kind(tx, patient_id, judged, known, EVER, now, settled)
    if unheard or silences:
        await listen(tx, patient_id, int(kind), unheard, silences, now, settled)
    await _write(tx, settled, now)
    return None


def _apart(ones: Sequence[_T]) -> tuple[list[_T], list[_T]]:
    """What is about readings, and what is about none coming."""
    return (
        [one for one in ones if one.measure != "no-data"],
        [one for one in ones if one.measure == "no-data"],
    )


def _of_heart(steps: Touched) -> Touched:
    """Steps explain a heart rate or stop explaining it, up to ten minutes later."""
    after = timedelta(minutes=10)
    parts = tuple((since, until + after) for since, until in steps.parts)
    moved = steps._replace(kind=_HEART, until=steps.until + after, parts=parts)
    return moved._replace(v_min=None, v_max=None, v2_min=None, v2_max=None)


def _forgotten(rules: Iterable[Rule], now: datetime) -> datetime:
    return now - timedelta(seconds=max((memory_s(rule) for rule in rules), default=0))


async def _standing(
    tx: Tx, patient_id: UUID, rules: Sequence[Rule], touched: Sequence[Touched], now: datetime
) -> list[AlertRow]:
    kinds = sorted({rule.kind for rule in rules})
    parts = [(one.kind, *part) for one in touched for part in one.parts or ((one.since, one.until),)]
    since = min(one.since for one in touched)
    return await queries.STANDING.all(
        tx, patient_id, kinds, _forgotten(rules, now), since, *zip(*parts, strict=True)
    )


async def _judge_kind(
    tx: Tx,
    patient_id: UUID,
    rules: Sequence[Rule],
    alerts: Sequence[AlertRow],
    since: int,
    now: datetime,
    into: Settled,
) -> None:
    """All rules of one kind, over the same readings. since: the first time that changed, microseconds."""
    of_rule = defaultdict[UUID, list[AlertRow]](list)
    for one in alerts:
        of_rule[one.rule_id].append(one)
    standing = {rule.rule_id for rule in rules}
    into.changed += [closed(one, now) for one in alerts if one.rule_id not in standing and not one.closed_at]
    if not rules:
        return
    states = {one.rule_id: one for one in await queries.STATES.all(tx, patient_id)}
    resumes = dict[UUID, Checkpoint | None]()
    wanted = list[Span]()
    for rule in rules:
        spans = spans_of(rule, of_rule[rule.rule_id], now)
        resumes[rule.rule_id] = resumed(rule, spans, _checkpoint(states.get(rule.rule_id)), since)
        wanted += asked(spans, resumes[rule.rule_id])
    moving = await _moving(tx, patient_id, rules, merged(wanted))
    splits = [t for since, until in moving for t in (since, until + 1)]
    splits += [one.t + 1 for one in resumes.values() if one is not None]
    loaded = await load(tx, patient_id, rules[0].kind, merged(wanted), clear_between(rules), splits)
    times = list[int]()
    for rule in rules:
        state, make_id = states.get(rule.rule_id), partial(uuid7, now)
        # What was found in points that were too many to be read again stays as it was found.
        known = [one for one in of_rule[rule.rule_id] if micros(one.last_t) >= loaded.since]
        resume = resumes[rule.rule_id]
        looked = look(patient_id, rule, loaded.stored, moving, known, _snooze(state), now, make_id, resume)
        await _mark(tx, patient_id, rule, looked.kept, state)
        into.take(looked.settled)
        times += [] if looked.next_at is None else [looked.next_at]
    if times:
        ref = f"{patient_id}:{rules[0].kind}"
        await schedule(tx, bucket_of(patient_id), max(at(min(times)), now), JOB, ref)


def _checkpoint(state: queries.State | None) -> Checkpoint | None:
    if state is None or state.checkpoint is None:
        return None
    return msgspec.json.decode(state.checkpoint, type=Checkpoint)


def _snooze(state: queries.State | None) -> Snooze | None:
    if state is None or state.snooze_until is None:
        return None
    return Snooze(state.snooze_until, state.snooze_critical_until)


async def _mark(tx: Tx, patient_id: UUID, rule: Rule, kept: Kept | None, state: queries.State | None) -> None:
    """Keep where the machine stands, and nothing where no long event goes on."""
    if kept is not None:
        times = (at(kept.since), at(kept.t))
        await queries.MARK.run(tx, patient_id, rule.rule_id, rule.direction, *times, kept.body)
    elif state is not None and state.checkpoint is not None:
        await queries.MARK.run(tx, patient_id, rule.rule_id, rule.direction, None, None, None)


async def _moving(
    tx: Tx, patient_id: UUID, rules: Sequence[Rule], spans: Sequence[Span]
) -> list[tuple[int, int]]:
    """When a high heart rate says nothing; asked only where one is judged."""
    if rules[0].kind != _HEART or not any(rule.direction == HIGH for rule in rules):
        return []
    return await load_moving(tx, patient_id, spans)


async def _write(tx: Tx, settled: Settled, now: datetime) -> None:
    rows = [*settled.opened, *settled.worsened, *settled.retracted, *settled.changed]
    if not rows:
        return
    await queries.save(tx, rows)
    await tell(tx, settled.opened, settled.retracted, settled.worsened, now)
