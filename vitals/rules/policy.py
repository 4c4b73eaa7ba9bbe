"""Which limits somebody may set. Pure.

The hard bounds: a limit lies where values of its kind are plausible (vitals/kinds.py), and nobody but a
doctor moves one further out than the furthest of the default set for the age, whether an operator confirmed
that row or not: a bound rings for nobody. What the machine of a rule can be set to stands beside the default
set (vitals/alerts/defaults.json: bounds), the same for everybody.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from kernel.problems import ProblemType, Refused
from vitals.alerts import defaults as shipped
from vitals.alerts.defaults import Limit, by_name, default_rules, outside
from vitals.alerts.models import HIGH, LOW, Direction, Rule
from vitals.kinds import KINDS, Kind, stored
from vitals.rules.models import AS_DEFAULT, PersonRole, RuleBody, RuleMachine
from vitals.rules.problems import ALERT_RULE_DOCTORS_ONLY, ALERT_RULE_INVALID, ALERT_RULE_OUT_OF_BOUNDS

_SPACE: Final = UUID("b0a4e7c6-0f0b-5a5d-8a5e-8d1a3b2f7c44")
_FIELDS: Final = ("warn", "crit", "warn2", "crit2")
_BOUNDED: Final = ("hysteresis", "confirm_n", "confirm_s", "cooldown_s", "stale_after_s")
_DAY_MINUTES: Final = 24 * 60


def rule_id_of(owner_id: UUID, kind: int, direction: Direction) -> UUID:
    """The same whenever this person sets a limit of that kind and direction, so that its versions go on."""
    return uuid5(_SPACE, f"{owner_id}:{kind}:{direction}")


def direction_of(body: RuleBody) -> Direction:
    return HIGH if body.direction == "high" else LOW


def fault_of(
    rules: Sequence[RuleBody], role: PersonRole, *, is_adult: bool, defaults: Sequence[Rule]
) -> Refused | None:
    """Why these limits can't be set by that person; the first fault, with its place. is_adult: for certain.
    defaults: all rows of the age (`rows_of`). Refused: alert-rule-invalid, -out-of-bounds, -doctors-only."""
    if len({(one.kind, one.direction) for one in rules}) < len(rules):
        return Refused(problem=ALERT_RULE_INVALID, where="rules")
    for number, one in enumerate(rules):
        found = _fault(one, role, is_adult, defaults)
        if found is not None:
            problem, field = found
            return Refused(problem=problem, where=f"rules[{number}].{field}")
    crossed = _crossed(rules)
    return None if crossed is None else Refused(problem=ALERT_RULE_INVALID, where=f"rules[{crossed}]")


def _fault(
    one: RuleBody, role: PersonRole, is_adult: bool, defaults: Sequence[Rule]
) -> tuple[ProblemType, str] | None:
    if one.kind == "blood-pressure" and not is_adult and role != "doctor":
        return ALERT_RULE_DOCTORS_ONLY, "kind"
    kind = KINDS[one.kind]
    if one.unit not in kind.accepted:
        return ALERT_RULE_INVALID, "unit"
    if one.warn is None and one.crit is None:
        return ALERT_RULE_INVALID, "warn"
    for second, first in (("warn2", one.warn), ("crit2", one.crit)):
        if getattr(one, second) is not None and (kind.low2 is None or first is None):
            return ALERT_RULE_INVALID, second
    for field in _FIELDS:
        value = getattr(one, field)
        if value is not None and not isinstance(_stored(kind, value, one.unit, field), int):
            return ALERT_RULE_OUT_OF_BOUNDS, field
    return _order_fault(one, role, kind, defaults) or machine_fault(one.kind, one.machine or AS_DEFAULT)


def machine_fault(kind: str, asked: RuleMachine) -> tuple[ProblemType, str] | None:
    """Why the machine of a rule of that kind can't be so, with the field."""
    of_kind = shipped.defaults().kinds[kind]
    for field in _BOUNDED:
        value, between = getattr(asked, field), getattr(of_kind.bounds, field)
        if value is not None and (between is None or not between.least <= value <= between.most):
            return ALERT_RULE_OUT_OF_BOUNDS, f"machine.{field}"
    number = of_kind.confirm_n if asked.confirm_n is None else asked.confirm_n
    window = of_kind.confirm_s if asked.confirm_s is None else asked.confirm_s
    if window < (number - 1) * of_kind.bounds.pace_s:
        return ALERT_RULE_OUT_OF_BOUNDS, "machine.confirm_n"
    if (asked.quiet_from is None) != (asked.quiet_until is None):
        return ALERT_RULE_INVALID, "machine.quiet_until"
    if _quiet_minutes(asked) * 60 > of_kind.bounds.quiet_s:
        return ALERT_RULE_OUT_OF_BOUNDS, "machine.quiet_until"
    return None


def _quiet_minutes(asked: RuleMachine) -> int:
    """How long its quiet hours last; the same time twice is none."""
    if asked.quiet_from is None or asked.quiet_until is None:
        return 0
    begins, ends = (int(one[:2]) * 60 + int(one[3:]) for one in (asked.quiet_from, asked.quiet_until))
    return (ends - begins) % _DAY_MINUTES


def _stored(kind: Kind, value: float, unit: str, field: str) -> object:
    return stored(kind, value, unit, second=field.endswith("2"))


def _order_fault(
    one: RuleBody, role: PersonRole, kind: Kind, defaults: Sequence[Rule]
) -> tuple[ProblemType, str] | None:
    """A warning comes before what is critical, and neither lies further out than the default allows."""
    sign = direction_of(one)
    warn, warn2, crit, crit2 = (
        _outermost(kind, value, one.unit, sign) for value in (one.warn, one.warn2, one.crit, one.crit2)
    )
    if _is_beyond(warn, crit, sign) or _is_beyond(warn2, crit2, sign):
        return ALERT_RULE_INVALID, "warn"
    if role == "doctor":
        return None
    most, most2 = furthest(defaults, kind.number, sign)
    for field, mine, limit in (
        ("warn", warn, most),
        ("warn2", warn2, most2),
        ("crit", crit, most),
        ("crit2", crit2, most2),
    ):
        if _is_beyond(mine, limit, sign):
            return ALERT_RULE_OUT_OF_BOUNDS, field
    return None


def rows_of(birth: str | None, today: date) -> tuple[Rule, ...]:
    """All rows of the default set for an age, confirmed or not, for bounds alone."""
    return default_rules(birth, today, frozenset(by_name()))


def furthest(defaults: Sequence[Rule], kind: int, direction: Direction) -> tuple[int | None, int | None]:
    """The first stored values that a limit of anybody but a doctor reaches at most; None: none but what is
    plausible."""
    rule = _bounding(defaults, kind, direction)
    if rule is None:
        return None, None
    return (rule.warn, rule.warn2) if rule.crit is None else (rule.crit, rule.crit2)


def furthest_limit(defaults: Sequence[Rule], kind: int, direction: Direction) -> Limit:
    """The same as the set names it, in the kind's own unit; empty: none."""
    rule = _bounding(defaults, kind, direction)
    row = None if rule is None or rule.name is None else by_name()[rule.name]
    return () if row is None else row.crit or row.warn or ()


def _bounding(defaults: Sequence[Rule], kind: int, direction: Direction) -> Rule | None:
    asked = (kind, direction, "reading")
    return next((it for it in defaults if (it.kind, it.direction, it.measure) == asked), None)


def _outermost(kind: Kind, value: float | None, unit: str, sign: Direction) -> int | None:
    return None if value is None else outside(kind, [value], unit, sign, sign == HIGH)[0]


def _is_beyond(one: int | None, other: int | None, sign: Direction) -> bool:
    """Whether the first is further out than the second, where both are there."""
    return one is not None and other is not None and (one - other) * sign > 0


def _crossed(rules: Sequence[RuleBody]) -> int | None:
    """The place of a low limit that is not below the high one of the same kind."""
    for number, low in enumerate(rules):
        high = next((it for it in rules if it.kind == low.kind and it.direction == "high"), None)
        if low.direction == "high" or high is None:
            continue
        kind = KINDS[low.kind]
        below = [_outermost(kind, one, low.unit, LOW) for one in (low.warn, low.crit)]
        above = [_outermost(kind, one, high.unit, HIGH) for one in (high.warn, high.crit)]
        if any(
            _is_beyond(one, other, HIGH) or one == other for one in below for other in above if one and other
        ):
            return number
    return None
