"""When the next check is due: the day that the last one's form gives, else a rule of a versioned table.

No national text that we have says how often; the table (rules.json) is ours and says so.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from ehr.health_checks.templates import CheckKind
from ehr.views.checks import KINDS_VI
from kernel.clock import add_months

FROM_FORM_VI: Final = "Theo ngày hết giá trị ghi trên phiếu khám."


class DueRule(Struct, frozen=True, forbid_unknown_fields=True):
    kind: CheckKind
    months: Annotated[int, Meta(ge=1, le=120)]
    source: Annotated[str, Meta(min_length=10)]


class DueRules(Struct, frozen=True, forbid_unknown_fields=True):
    """is_confirmed: whether its source is a text in force."""

    version: str
    source: str
    is_confirmed: bool
    rules: list[DueRule]


class Due(Struct, frozen=True, kw_only=True):
    """The next check of a kind. basis: `form`, the day on the last one's form; `rule`, one of that version.
    is_confirmed: whether what it rests on is confirmed; nothing is said of a kind without either."""

    kind: CheckKind
    kind_vi: str
    due_on: date
    last_on: date
    basis: Literal["form", "rule"]
    source_vi: str
    rules_version: str | None
    is_confirmed: bool


class LastCheck(Struct, frozen=True):
    """The newest check of a kind, as far as the reader sees."""

    kind: CheckKind
    done_on: date
    valid_until: date | None


@cache
def rules() -> DueRules:
    return msgspec.json.decode(files("ehr.health_checks").joinpath("rules.json").read_bytes(), type=DueRules)


def due_checks(last: Iterable[LastCheck], table: DueRules) -> list[Due]:
    """What is due next, the soonest first."""
    found = [due for one in last if (due := _due(one, table)) is not None]
    return sorted(found, key=lambda due: (due.due_on, due.kind))


def _due(last: LastCheck, table: DueRules) -> Due | None:
    if last.valid_until is not None:
        due_on, basis, source, version, confirmed = last.valid_until, "form", FROM_FORM_VI, None, True
    else:
        rule = next((one for one in table.rules if one.kind == last.kind), None)
        if rule is None:
            return None
        due_on, basis = add_months(last.done_on, rule.months), "rule"
        source, version, confirmed = rule.source, table.version, table.is_confirmed
    return Due(
        kind=last.kind,
        kind_vi=KINDS_VI[last.kind],
        due_on=due_on,
        last_on=last.done_on,
        basis="form" if basis == "form" else "rule",
        source_vi=source,
        rules_version=version,
        is_confirmed=confirmed,
    )
