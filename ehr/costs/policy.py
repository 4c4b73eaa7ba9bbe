"""Reading amounts as facilities write them. Pure."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ehr.costs.models import Costs, SumCheck

# Numbers of at most 15 digits, a point before two decimals (QĐ 4750, XML1 46–51); old programs write a comma.
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:[.,][0-9]{1,6})?")
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:[.,]0{1,6})?")
PERCENT_MAX: Final = 100
# A visit has few levels; what is more is no list of them.
_LEVELS_MAX: Final = 12


def costs_of(
    *,
    total: str,
    in_scope: str,
    fund: str,
    copaid: str,
    self_paid: str,
    other: str,
    benefits: Iterable[str],
) -> Costs:
    """The costs of a visit from the texts of its fields; what is no amount counts as not sent, so that money
    never keeps a visit out of the book."""
    sums = {
        "total": _amount(total),
        "fund": _amount(fund),
        "copaid": _amount(copaid),
        "self_paid": _amount(self_paid),
        "other": _amount(other),
    }
    return Costs(
        **{name: _whole(amount) for name, amount in sums.items()},
        in_scope=_whole(_amount(in_scope)),
        check=_check(sums["total"], [sums[name] for name in ("fund", "copaid", "self_paid", "other")]),
        benefits=_levels(benefits),
    )


def _amount(text: str) -> Decimal | None:
    return Decimal(text.replace(",", ".")) if _AMOUNT.fullmatch(text) else None


def _whole(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _check(total: Decimal | None, shares: list[Decimal | None]) -> SumCheck:
    """Whether the shares are the total. Less than one đồng is how each of them was rounded."""
    known = [share for share in shares if share is not None]
    if total is None or len(known) < len(shares):
        return "unknown"
    return "agree" if abs(total - sum(known)) < 1 else "disagree"


def _levels(texts: Iterable[str]) -> tuple[int, ...]:
    found = {int(match[1]) for text in texts if (match := _PERCENT.fullmatch(text))}
    return tuple(sorted(level for level in found if level <= PERCENT_MAX))[:_LEVELS_MAX]
