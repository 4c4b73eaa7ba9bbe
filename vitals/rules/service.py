"""Reading and setting limits: the person's own, a treating doctor's, and those that a guardian or follower
keeps for the own phone. Every change is a new version, and the old ones stay.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import astuple

from ehr.reads.models import Built
from ehr.reads.raw import encode
from identity.people import demographics, lock_people
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import bucket_of
from kernel.problems import Refused
from store.database import Tx
from store.due_queue import schedule
from store.keys import KeyRing
from vitals.alerts.defaults import (
    ADULT_MONTHS,
    Limit,
    machine_bounds,
    months_of,
    moved_by_disease,
    version_with,
)
from vitals.alerts.judging import JOB
from vitals.alerts.models import HIGH, LOW, Rule
from vitals.alerts.rules import living, rule_of, rules_for
from vitals.conditions.service import sees_diagnoses
from vitals.kinds import KINDS
from vitals.rules import queries
from vitals.rules.models import (
    AS_DEFAULT,
    Bound,
    PersonRole,
    RuleBody,
    RuleList,
    RuleRow,
    RulesBody,
    RulesSet,
)
from vitals.rules.policy import direction_of, fault_of, furthest_limit, rows_of, rule_id_of
from vitals.rules.problems import ALERT_RULES_CHANGED, NO_SUCH_RULE
from vitals.rules.showing import shown_rule
from vitals.rules.texts import KIND_VI, NOTICE_VI

_rows = msgspec.json.Decoder(list[RuleRow]).decode
_ROLES: Final[dict[str, PersonRole]] = {
    "self": "citizen",
    "guardian": "guardian",
    "proxy": "follower",
    "grant": "doctor",
}


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """What is in force for this book, and what whoever reads set for themselves there."""
    patient_id, me = access.patient_id, access.actor.actor_id
    birth = await birth_of(tx, keys, patient_id)
    knows, limits = sees_diagnoses(access), rows_of(birth, local_day(now))
    rules = await rules_for(tx, patient_id, birth, now, of_diseases=knows)
    found = await queries.IN_FORCE.one(tx, patient_id)
    assert found is not None
    rows = {row.rule_id: row for row in _kept(found.rules)}
    confirmed = frozenset(found.confirmed)
    moved = frozenset[str]() if knows else moved_by_disease(birth, local_day(now), confirmed)
    shown = [
        shown_rule(rule, rows.get(rule.rule_id), me, confirmed, moved=moved)
        for rule in rules
        if (not rule.is_personal or rule.owner_id == me) and rule.measure != "no-data"
    ]
    judged = {rule.rule_id for rule in rules}
    shown += [
        shown_rule(rule_of(row, version_with(confirmed)), row, me, confirmed, in_force=False)
        for row in rows.values()
        if row.owner_id == me and row.rule_id not in judged
    ]
    body = RuleList(
        rules=shown,
        bounds=[bound_of(kind, limits) for kind in KIND_VI],
        version=await queries.COUNT_CHANGES.one(tx, patient_id) or 0,
        set_version=version_with(confirmed),
        notice=NOTICE_VI,
    )
    return Built(encode(body), [])


def bound_of(kind: str, defaults: Sequence[Rule]) -> Bound:
    """Between which limits of a kind can lie. defaults: all rows of the age. Pure."""
    one = KINDS[kind]
    high, high2 = _pair(furthest_limit(defaults, one.number, HIGH))
    low, low2 = _pair(furthest_limit(defaults, one.number, LOW))
    return Bound(
        kind=kind,  # type: ignore[arg-type]
        units=list(one.accepted),
        lowest=one.low,
        highest=one.high,
        machine=machine_bounds(kind),
        lowest2=one.low2,
        highest2=one.high2,
        furthest_high=high,
        furthest_high2=high2,
        furthest_low=low,
        furthest_low2=low2,
    )


def _pair(limit: Limit) -> tuple[float | None, float | None]:
    first, second, *_ = (*limit, None, None)
    return first, second


async def put(tx: Tx, keys: KeyRing, access: Access, body: RulesBody, now: datetime) -> RulesSet | Refused:
    """Set all limits of whoever acts in this book; those that are not named end.

    Refused: alert-rules-changed, and as vitals/rules/policy.py: fault_of.
    """
    patient_id, me, role = access.patient_id, access.actor.actor_id, _ROLES[access.basis]
    await lock_people(tx, patient_id)
    if (await queries.COUNT_CHANGES.one(tx, patient_id) or 0) != body.version:
        return Refused(problem=ALERT_RULES_CHANGED)
    birth, found = await birth_of(tx, keys, patient_id), await queries.IN_FORCE.one(tx, patient_id)
    assert found is not None
    bounds = rows_of(birth, local_day(now))
    refused = fault_of(body.rules, role, is_adult=is_adult(birth, now), defaults=bounds)
    if refused is not None:
        return refused
    kept = _kept(found.rules)
    wanted = [_row(one, me, role) for one in body.rules]
    # A child's guardian may have become a grown person's proxy: what was set before is theirs to change.
    mine = [row for row in kept if row.owner_id == me]
    same = [row.rule_id for row in wanted if any(_is_same(row, one) for one in mine)]
    ended = [row.rule_id for row in mine if row.rule_id not in same]
    changed = [row for row in wanted if row.rule_id not in same]
    ended += _overruled(kept, wanted, me, role)
    stay = {row.rule_id for row in await living(tx, patient_id, birth, kept, now)} | {*same, *ended}
    ended += [row.rule_id for row in kept if row.rule_id not in stay]
    await _write(tx, patient_id, ended, changed, now)
    moved = {*ended, *(row.rule_id for row in changed)}
    await _judge_soon(tx, patient_id, {row.kind for row in (*kept, *changed) if row.rule_id in moved}, now)
    version = await queries.COUNT_CHANGES.one(tx, patient_id) or 0
    return RulesSet(version=version, changed=len(moved))


def _overruled(kept: Sequence[RuleRow], wanted: Sequence[RuleRow], me: UUID, role: PersonRole) -> list[UUID]:
    """Another doctor's limits for the same: the last word of a doctor counts. Pure."""
    keys = {(row.kind, row.direction) for row in wanted} if role == "doctor" else set()
    return [
        row.rule_id
        for row in kept
        if row.owner_role == "doctor" and row.owner_id != me and (row.kind, row.direction) in keys
    ]


async def _write(
    tx: Tx, patient_id: UUID, ended: Sequence[UUID], made: Sequence[RuleRow], now: datetime
) -> None:
    if ended:
        await queries.END.run(tx, patient_id, list(ended), now)
    if not made:
        return
    idents = [row.rule_id for row in made]
    latest = {one.rule_id: one.ver for one in await queries.VERSIONS.all(tx, patient_id, idents)}
    await queries.INSERT.many(
        tx,
        [
            (
                patient_id,
                row.rule_id,
                latest.get(row.rule_id, 0) + 1,
                row.owner_id,
                row.owner_role,
                row.kind,
                row.direction,
                row.unit,
                row.warn,
                row.crit,
                row.warn2,
                row.crit2,
                *astuple(row.machine),
                now,
            )
            for row in made
        ],
    )


async def end(tx: Tx, access: Access, rule_id: UUID, now: datetime) -> Refused | None:
    """End a doctor's limit in the own or a child's book, or one's own. Refused: no-such-alert-rule."""
    found = await queries.IN_FORCE.one(tx, access.patient_id)
    assert found is not None
    row = next((row for row in _kept(found.rules) if row.rule_id == rule_id), None)
    is_of_book = access.basis in ("self", "guardian")
    is_mine = row is not None and row.owner_id == access.actor.actor_id
    if row is None or not (is_mine or (row.owner_role == "doctor" and is_of_book)):
        return Refused(problem=NO_SUCH_RULE)
    await queries.END.run(tx, access.patient_id, [rule_id], now)
    await _judge_soon(tx, access.patient_id, {row.kind}, now)
    return None


async def _judge_soon(tx: Tx, patient_id: UUID, kinds: Iterable[int], now: datetime) -> None:
    """The worker looks at once by the limits as they are now: what stood by an ended one ends."""
    for kind in sorted(kinds):
        await schedule(tx, bucket_of(patient_id), now, JOB, f"{patient_id}:{kind}")


async def birth_of(tx: Tx, keys: KeyRing, patient_id: UUID) -> str | None:
    known = await demographics(tx, keys, patient_id)
    return None if known is None else known.birth_date


def is_adult(birth: str | None, now: datetime) -> bool:
    """For certain: no date is no age. Pure."""
    return birth is not None and months_of(birth, local_day(now))[0] >= ADULT_MONTHS


def _kept(rules: str | None) -> list[RuleRow]:
    return [] if rules is None else _rows(rules)


def _row(one: RuleBody, owner_id: UUID, role: PersonRole) -> RuleRow:
    kind, sign = KINDS[one.kind].number, direction_of(one)
    return RuleRow(
        rule_id=rule_id_of(owner_id, kind, sign),
        ver=0,
        owner_id=owner_id,
        owner_role=role,
        kind=kind,
        direction=sign,
        unit=one.unit,
        warn=one.warn,
        crit=one.crit,
        warn2=one.warn2,
        crit2=one.crit2,
        machine=one.machine or AS_DEFAULT,
    )


def _is_same(one: RuleRow, other: RuleRow) -> bool:
    return msgspec.structs.replace(one, ver=0) == msgspec.structs.replace(other, ver=0)
