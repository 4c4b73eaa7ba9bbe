"""What a visit cost, as its facility sent it, and as it is shown."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

# agree: the shares add up to the total; disagree: they do not, and are shown as sent; unknown: not all of
# them were sent.
SumCheck = Literal["agree", "disagree", "unknown"]


class Costs(Struct, frozen=True, kw_only=True):
    """The sums of one visit in whole đồng; None: not sent, or no amount (QĐ 4750, XML1 46–51).

    total: of all services; in_scope: what of it the fund's scope covers; fund, copaid, self_paid, other: who
    pays it. benefits: the benefit levels of the lines in percent (MUC_HUONG of XML2 and XML3), each once.
    """

    total: int | None = None
    in_scope: int | None = None
    fund: int | None = None
    copaid: int | None = None
    self_paid: int | None = None
    other: int | None = None
    check: SumCheck = "unknown"
    benefits: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        amounts = (self.total, self.in_scope, self.fund, self.copaid, self.self_paid, self.other)
        return all(amount is None for amount in amounts) and not self.benefits


class Amounts(Struct, frozen=True, kw_only=True):
    """Sums in whole đồng; null: the facility sent no amount.

    total: of all services of the visit; in_scope: what of it the insurance covers; fund: what the facility
    asks of the insurance fund; copaid: the person's share inside that scope; self_paid: what the person pays
    outside it; other: other sources.
    """

    total: int | None
    in_scope: int | None
    fund: int | None
    copaid: int | None
    self_paid: int | None
    other: int | None


class VisitCosts(Struct, frozen=True, kw_only=True):
    """What one visit cost. amounts: null where the facility sent none of them.

    check: whether the shares add up to the total, and `check_vi` says what that means where they do not.
    benefit_percents: the levels that lines of this visit were charged at. received_at: when this was sent.
    """

    encounter_id: str
    date: str | None
    facility_name: str | None
    amounts: Amounts | None
    check: SumCheck
    check_vi: str | None
    benefit_percents: list[int]
    received_at: datetime | None


class Year(Struct, frozen=True, kw_only=True):
    """The visits of one year, newest first, a page at a time; next opens the page after.

    sums: over all visits of the year whose amounts are known; visits, visits_without: how many there are,
    and how many of them have no amounts.
    """

    year: int
    items: list[VisitCosts]
    next: str | None
    sums: Amounts
    visits: int
    visits_without: int
    as_of: date
