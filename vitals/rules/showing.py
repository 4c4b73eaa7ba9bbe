"""A rule as people read it. Pure.

A limit that a disease moved is shown to who sees diagnoses. Everybody else reads the limit of the age with
the words that somebody may have another, whether the person has the disease or not: neither name, source,
number nor version tells one from the other.
"""

from typing import Final
from uuid import UUID

from msgspec.structs import replace

from vitals.alerts.defaults import Limit, Row, by_name, part_of
from vitals.alerts.models import HIGH, Rule
from vitals.kinds import BY_NUMBER, KINDS
from vitals.rules.models import RuleKind, RuleMachine, RuleRow, ShownRule
from vitals.rules.texts import CRIT_VI, MAY_DIFFER_VI, WARN_VI, rule_text, target_text
from vitals.units import scaled, unscaled

_NONE: Final[Limit] = ()


def shown_rule(
    rule: Rule,
    row: RuleRow | None,
    me: UUID,
    confirmed: frozenset[str],
    *,
    in_force: bool = True,
    moved: frozenset[str] = frozenset(),
) -> ShownRule:
    """row: as it is kept; None for a default rule. moved: names of default rows in whose place another may
    stand that whoever reads does not see (vitals/alerts/defaults.py: moved_by_disease)."""
    shown = _as_read(rule, row, me, confirmed)
    if rule.name in moved:
        shown = replace(shown, text=shown.text + MAY_DIFFER_VI, may_differ=True)
    return replace(shown, in_force=in_force, own_machine=None if row is None else row.machine)


def machine_of_rule(rule: Rule) -> RuleMachine:
    """How a rule judges, whole."""
    quiet_from, quiet_until = rule.quiet or (None, None)
    return RuleMachine(
        hysteresis=rule.hysteresis / BY_NUMBER[rule.kind].scale,
        confirm_n=rule.confirm_n,
        confirm_s=rule.confirm_s,
        cooldown_s=rule.cooldown_s,
        stale_after_s=rule.no_data_s or None,
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )


def _as_read(rule: Rule, row: RuleRow | None, me: UUID, confirmed: frozenset[str]) -> ShownRule:
    if row is None:
        return _default(rule, _row_of(rule), confirmed)
    kind: RuleKind = BY_NUMBER[rule.kind].name  # type: ignore[assignment]
    warn, crit = _pair(row.warn, row.warn2), _pair(row.crit, row.crit2)
    if not crit and rule.name is not None:
        crit = _inherited(rule, row.unit, confirmed)
    return _shown(
        rule, kind, row.unit, warn, crit, is_mine=row.owner_id == me, is_included=rule.direction == HIGH
    )


def _row_of(rule: Rule) -> Row:
    return by_name()[rule.name or ""]


def _pair(first: float | None, second: float | None) -> Limit:
    return tuple(one for one in (first, second) if one is not None)


def _inherited(rule: Rule, unit: str, confirmed: frozenset[str]) -> Limit:
    """The default critical limit that stands under a person's rule, in that rule's unit."""
    default = _row_of(rule)
    limit = part_of(default, "crit", confirmed)
    if limit is None or default.unit == unit:
        return limit or _NONE
    units = KINDS[default.kind].accepted
    return tuple(unscaled(units[unit], scaled(units[default.unit], one) or 0) for one in limit)


def _default(rule: Rule, row: Row, confirmed: frozenset[str]) -> ShownRule:
    warn, crit = (part_of(row, "warn", confirmed) or _NONE), (part_of(row, "crit", confirmed) or _NONE)
    kind: RuleKind = row.kind  # type: ignore[assignment]
    shown = _shown(
        rule,
        kind,
        row.unit,
        warn,
        crit,
        is_mine=False,
        is_included=row.inclusive,
        name=row.name,
        source=row.source,
    )
    target = part_of(row, "target", confirmed)
    if target is None:
        return shown
    return replace(shown, text=shown.text + target_text(list(target), row.unit), target=list(target))


def _shown(
    rule: Rule,
    kind: RuleKind,
    unit: str,
    warn: Limit,
    crit: Limit,
    *,
    is_mine: bool,
    is_included: bool,
    name: str | None = None,
    source: str | None = None,
) -> ShownRule:
    limits = [(word, list(numbers)) for word, numbers in ((WARN_VI, warn), (CRIT_VI, crit)) if numbers]
    is_high = rule.direction == HIGH
    return ShownRule(
        rule_id=rule.rule_id,
        version=rule.ver,
        kind=kind,
        direction="high" if is_high else "low",
        measure=rule.measure,
        unit=unit,
        set_by=rule.owner_role,
        is_mine=is_mine,
        text=rule_text(
            kind,
            unit,
            limits,
            is_high=is_high,
            is_included=is_included,
            measure=rule.measure,
            hours=rule.lasts_s // 3600,
        ),
        machine=machine_of_rule(rule),
        name=name,
        source=source,
        warn=_first(warn),
        crit=_first(crit),
        warn2=_second(warn),
        crit2=_second(crit),
    )


def _first(limit: Limit) -> float | None:
    return limit[0] if limit else None


def _second(limit: Limit) -> float | None:
    return limit[1] if len(limit) > 1 else None
