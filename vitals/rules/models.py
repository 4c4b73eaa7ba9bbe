"""A person's own limits, as asked for, as kept and as shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from vitals.alerts.defaults import MachineBounds
from vitals.alerts.models import Measure, OwnerRole

# What a limit can be set for.
RuleKind: TypeAlias = Literal["heart-rate", "spo2", "resp-rate", "temperature", "blood-pressure", "glucose"]
Way: TypeAlias = Literal["high", "low"]
Limit: TypeAlias = Annotated[float, Meta(gt=0, le=1000)]
PersonRole: TypeAlias = Literal["citizen", "doctor", "guardian", "follower"]
WallTime: TypeAlias = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)")]
Seconds: TypeAlias = Annotated[int, Meta(ge=0, le=604_800)]
RULES_MAX = 12


class RuleMachine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a rule judges and when it speaks. What is left out is as the default set has it.

    hysteresis: how far inside the limit a value is clear of it, in the kind's canonical unit. confirm_n
    readings outside within confirm_s make a warning; critical ones, and readings taken singly, need no more
    than two. cooldown_s: no further warning for so long after one is over. stale_after_s: tell me once when
    devices that measure all the time give nothing for so long; left out: never. quiet_from, quiet_until: wall
    times where whoever is told lives; a warning waits for their end, and what is critical never does.
    """

    hysteresis: Annotated[float, Meta(ge=0, le=1000)] | None = None
    confirm_n: Annotated[int, Meta(ge=1, le=100)] | None = None
    confirm_s: Seconds | None = None
    cooldown_s: Seconds | None = None
    stale_after_s: Seconds | None = None
    quiet_from: WallTime | None = None
    quiet_until: WallTime | None = None


AS_DEFAULT = RuleMachine()


class RuleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one kind in one direction, in `unit`: high is from the limit up, low is below it.

    warn2, crit2: diastolic, with blood pressure alone. A warning that is left out is not given; a critical
    limit that is left out stays the default one. machine: how it is judged; null: as by default.
    """

    kind: RuleKind
    direction: Way
    unit: Annotated[str, Meta(min_length=1, max_length=20)]
    warn: Limit | None = None
    crit: Limit | None = None
    warn2: Limit | None = None
    crit2: Limit | None = None
    machine: RuleMachine | None = None


class RulesBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All limits of whoever sends this: those of theirs that are not among them end. version: of the list
    that was read before."""

    rules: Annotated[Sequence[RuleBody], Meta(max_length=RULES_MAX)]
    version: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class RuleRow(Struct, frozen=True):
    """A person's rule in force, as kept."""

    rule_id: UUID
    ver: int
    owner_id: UUID
    owner_role: PersonRole
    kind: int
    direction: Literal[-1, 1]
    unit: str
    warn: float | None
    crit: float | None
    warn2: float | None
    crit2: float | None
    machine: RuleMachine = AS_DEFAULT


class InForce(Struct, frozen=True):
    """confirmed: rows of the default set that an operator named a source for. rules: JSON of RuleRow."""

    confirmed: list[str]
    rules: str | None


class RuleVersion(Struct, frozen=True):
    """The latest version of a rule, in force or not."""

    rule_id: UUID
    ver: int


class ShownRule(Struct, frozen=True, kw_only=True):
    """One rule as people read it. name: of a default one. is_mine: set by who reads. text: in words; source:
    of a default one. target: between what values should lie. may_differ: of the age, and people with some
    disease have another, which whoever reads would not see here. in_force: False of one's own that somebody
    else's stands above now; it is to be named in the next change all the same, or it ends. machine: how it
    judges, whole; own_machine: what of that was set with the rule, to be sent again with the next change.
    """

    rule_id: UUID
    version: int
    kind: RuleKind
    direction: Way
    measure: Measure
    unit: str
    set_by: OwnerRole
    is_mine: bool
    text: str
    machine: RuleMachine
    own_machine: RuleMachine | None = None
    in_force: bool = True
    may_differ: bool = False
    name: str | None = None
    source: str | None = None
    target: list[float] | None = None
    warn: float | None = None
    crit: float | None = None
    warn2: float | None = None
    crit2: float | None = None


class Bound(Struct, frozen=True, kw_only=True):
    """Between which limits of a kind can lie, in its canonical unit; and in which units they can be set.

    furthest_high, furthest_low: nobody but a doctor sets one further out than these of the age; None: no more
    than what is plausible. The 2: diastolic. machine: between what a rule's machine can be set.
    """

    kind: RuleKind
    units: list[str]
    lowest: float
    highest: float
    machine: MachineBounds
    lowest2: float | None = None
    highest2: float | None = None
    furthest_high: float | None = None
    furthest_high2: float | None = None
    furthest_low: float | None = None
    furthest_low2: float | None = None


class RuleList(Struct, frozen=True, kw_only=True):
    """What is in force for this book. version: for the next change; set_version: of the default limits."""

    rules: list[ShownRule]
    bounds: list[Bound]
    version: int
    set_version: str
    notice: str


class RulesSet(Struct, frozen=True):
    """version: for the next change. changed: how many limits began or ended."""

    version: int
    changed: int


class ConfirmedRow(Struct, frozen=True):
    name: str
    source: str
    confirmed_at: datetime
