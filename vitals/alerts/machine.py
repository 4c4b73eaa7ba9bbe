"""What its owner set about the machine of a rule, as readings are judged by it. Pure."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID, uuid5

from msgspec.structs import replace

from vitals.alerts.models import LOW, Rule
from vitals.kinds import Kind
from vitals.rules.models import RuleMachine

_SPACE: Final = UUID("3c1de6a1-58a0-5f0a-9a0e-0a5f0f6e7d52")
_NO_LIMITS: Final = dict.fromkeys(("warn", "warn2", "crit", "crit2", "at_once", "name"))


def set_machine(rule: Rule, machine: RuleMachine, kind: Kind) -> Rule:
    """The rule with what was set; what was not stays as the default set has it."""
    asked: dict[str, Any] = {
        name: value
        for name in ("confirm_n", "confirm_s", "cooldown_s")
        if (value := getattr(machine, name)) is not None
    }
    if machine.hysteresis is not None:
        asked["hysteresis"] = round(machine.hysteresis * kind.scale)
    if machine.stale_after_s is not None:
        asked["no_data_s"] = machine.stale_after_s
    if machine.quiet_from is not None and machine.quiet_until is not None:
        asked["quiet"] = (machine.quiet_from, machine.quiet_until)
    return replace(rule, **asked) if asked else rule


def about_no_data(rules: Iterable[Rule]) -> list[Rule]:
    """One rule of each owner and kind about devices that give nothing any more, where one was asked for: the
    shortest time counts. It has a direction only because every rule has one."""
    found = dict[UUID, Rule]()
    for rule in rules:
        ident = uuid5(_SPACE, f"{rule.owner_id}:{rule.kind}")
        before = found.get(ident)
        if rule.no_data_s and (before is None or rule.no_data_s < before.no_data_s):
            found[ident] = replace(rule, rule_id=ident, measure="no-data", direction=LOW, **_NO_LIMITS)
    return list(found.values())
