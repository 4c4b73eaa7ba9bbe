"""By which rules a person's readings are judged now: a doctor's above the person's own, that above the
default of the age, or of a disease that the record has; and beside them those that guardians and followers
set for themselves.

A follower's rule ends with the link between the two; what the link still lets that person know is asked again
when the alert is told (healthbook/vital_alert_jobs.py).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from family.policy import YOUTH_AGE, is_of_age
from family.service import pairs_standing
from kernel.clock import local_day
from store.database import Tx
from vitals.alerts.defaults import conditions_of, default_rules, machine_of, outside, version_with
from vitals.alerts.machine import about_no_data, set_machine
from vitals.alerts.models import HIGH, Direction, OwnerRole, Rule
from vitals.conditions.service import standing
from vitals.kinds import BY_NUMBER
from vitals.rules import queries
from vitals.rules.models import RuleRow

_rows = msgspec.json.Decoder(list[RuleRow]).decode
# Of two rules for the same, the first of these is in force.
_ORDER: Final[dict[OwnerRole, int]] = {"doctor": 0, "citizen": 1}


async def rules_for(
    tx: Tx,
    patient_id: UUID,
    birth: str | None,
    now: datetime,
    kinds: Collection[int] | None = None,
    *,
    of_diseases: bool = True,
) -> list[Rule]:
    """birth: FHIR partial date; without one no default applies. kinds: rules of others need not be right.
    of_diseases: False for those of somebody of the age about whose diseases nothing is known.

    One statement; one more where somebody else set a rule, and one where a row that waits for a disease is in
    force for one of the kinds.
    """
    found = await queries.IN_FORCE.one(tx, patient_id)
    assert found is not None
    confirmed, today = frozenset(found.confirmed), local_day(now)
    asked = _diseases(birth, today, confirmed, kinds) if of_diseases else frozenset[str]()
    icd = await standing(tx, patient_id, asked, now)
    defaults = default_rules(birth, today, confirmed, icd)
    if found.rules is None:
        return list(defaults)
    kept = await living(tx, patient_id, birth, _rows(found.rules), now)
    return in_force(defaults, kept, version_with(confirmed))


def _diseases(
    birth: str | None, today: date, confirmed: frozenset[str], kinds: Collection[int] | None
) -> frozenset[str]:
    moving = conditions_of(birth, today, confirmed)
    return frozenset[str]().union(*(icd for kind, icd in moving.items() if kinds is None or kind in kinds))


async def living(
    tx: Tx, patient_id: UUID, birth: str | None, rows: Sequence[RuleRow], now: datetime
) -> list[RuleRow]:
    """Without those of relatives whose link does not stand any more, or whose child is of age. One statement
    where a relative has any."""
    others = {(row.owner_id, patient_id) for row in rows if row.owner_role not in _ORDER}
    standing = await pairs_standing(tx, sorted(others), now) if others else frozenset()
    ended = {"guardian"} if birth is None or is_of_age(birth, YOUTH_AGE, local_day(now)) else set[str]()
    return [
        row
        for row in rows
        if row.owner_role in _ORDER
        or (row.owner_role not in ended and (row.owner_id, patient_id) in standing)
    ]


def in_force(defaults: Sequence[Rule], rows: Iterable[RuleRow], set_version: str) -> list[Rule]:
    """The default rules under what people set. A person's rule moves a default critical limit and never takes
    it away; a doctor's warning further out than it does. Pure."""
    of_book = dict[tuple[int, Direction], Rule]()
    personal = list[Rule]()
    for row in sorted(rows, key=lambda row: (_ORDER.get(row.owner_role, 2), row.rule_id)):
        rule, key = rule_of(row, set_version), (row.kind, row.direction)
        if rule.is_personal:
            personal.append(rule)
        else:
            of_book.setdefault(key, rule)
    below = {(one.kind, one.direction): one for one in defaults if one.measure == "reading"}
    own = [_with_critical(rule, below.get(key)) for key, rule in of_book.items()]
    stay = [one for one in defaults if one.measure != "reading" or (one.kind, one.direction) not in of_book]
    return [*stay, *own, *personal, *about_no_data([*own, *personal])]


def _with_critical(rule: Rule, default: Rule | None) -> Rule:
    if default is None or rule.crit is not None or default.crit is None or _is_within(default, rule):
        return rule
    return replace(rule, name=default.name, crit=default.crit, crit2=default.crit2, at_once=default.at_once)


def _is_within(default: Rule, rule: Rule) -> bool:
    """Whether a default critical limit lies inside a doctor's warning: that person lives beyond it."""
    if rule.owner_role != "doctor":
        return False
    pairs = ((default.crit, rule.warn), (default.crit2, rule.warn2))
    return any(
        crit is not None and warn is not None and (crit - warn) * rule.direction <= 0 for crit, warn in pairs
    )


def rule_of(row: RuleRow, set_version: str) -> Rule:
    """A kept rule as readings are judged by it: high is from the limit up, low is below it. Pure."""
    kind, is_high = BY_NUMBER[row.kind], row.direction == HIGH
    first = [
        None if one is None else outside(kind, [one], row.unit, row.direction, is_high)[0]
        for one in (row.warn, row.warn2, row.crit, row.crit2)
    ]
    rule = Rule(
        rule_id=row.rule_id,
        ver=row.ver,
        set_version=set_version,
        owner_role=row.owner_role,
        owner_id=row.owner_id,
        kind=row.kind,
        direction=row.direction,
        warn=first[0],
        warn2=first[1],
        crit=first[2],
        crit2=first[3],
        **machine_of(kind.name),
    )
    return set_machine(rule, row.machine, kind)
