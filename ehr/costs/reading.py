"""Costs as the person and the guardian read them: nobody else's decision leads here (consent/decision.py)."""

from datetime import date, datetime
from typing import Final

import msgspec
from msgspec import Struct

from ehr.costs import queries
from ehr.costs.models import Amounts, SumCheck, VisitCosts, Year
from ehr.costs.problems import UNKNOWN_VISIT
from ehr.costs.queries import CostRow, SumRow
from ehr.reads.models import Built
from ehr.reads.paging import cut, page_size, position
from ehr.reads.raw import encode
from ehr.reads.scope import is_id, scope_of
from kernel.access import Access, Basis
from kernel.clock import end_of_day, local_day, start_of_day
from kernel.problems import refuse
from store.database import Tx

# Whose decision opens amounts; family/policy.py and consent/decision.py give nobody else the action.
BASES: Final[frozenset[Basis]] = frozenset({"self", "guardian"})
_CHECK_VI: Final[dict[SumCheck, str | None]] = {
    "agree": None,
    "disagree": "Các khoản cơ sở gửi cộng lại không bằng tổng chi phí; số tiền được hiện đúng như đã gửi.",
    "unknown": "Cơ sở chưa gửi đủ các khoản để so với tổng chi phí.",
}
_NOT_SENT_VI: Final = "Cơ sở chưa gửi chi phí của lượt khám này."


class _Face(Struct):
    date: str | None = None
    facility_name: str | None = None


async def read_visit(tx: Tx, access: Access, encounter_id: str, now: datetime) -> Built:
    """What one visit cost. Raises `no-such-visit` for whatever this access does not show."""
    assert access.basis in BASES
    scope = scope_of(access, now)
    row = await queries.OF_VISIT.one(tx, *scope, encounter_id) if is_id(encounter_id) else None
    if row is None:
        refuse(UNKNOWN_VISIT)
    return Built(encode(_shown(row)), [("Encounter", row.id)])


async def read_year(
    tx: Tx, access: Access, year: int, cursor: str | None, limit: int | None, now: datetime
) -> Built:
    """The visits of a year with what they cost, newest first, and the sums of the whole year."""
    assert access.basis in BASES
    scope, size = scope_of(access, now), page_size(limit)
    span = start_of_day(date(year, 1, 1)), end_of_day(date(year, 12, 31))
    rows = await queries.OF_YEAR.all(tx, *scope, *span, *position(cursor), size + 1)
    sums = await queries.SUMS_OF_YEAR.one(tx, *scope, *span)
    assert sums is not None
    shown, following = cut(rows, size)
    page = Year(
        year=year,
        items=[_shown(row) for row in shown],
        next=following,
        sums=_amounts(sums),
        visits=sums.visits,
        visits_without=sums.without,
        as_of=local_day(now),
    )
    return Built(encode(page), [("Encounter", row.id) for row in shown])


def _shown(row: CostRow) -> VisitCosts:
    face = msgspec.json.decode(row.item, type=_Face)
    amounts = _amounts(row)
    known = any(value is not None for value in msgspec.structs.astuple(amounts))
    check = row.sum_check or "unknown"
    return VisitCosts(
        encounter_id=row.id,
        date=face.date,
        facility_name=face.facility_name,
        amounts=amounts if known else None,
        check=check,
        check_vi=_CHECK_VI[check] if known else _NOT_SENT_VI,
        benefit_percents=row.benefits or [],
        received_at=row.received_at,
    )


def _amounts(row: CostRow | SumRow) -> Amounts:
    return Amounts(
        total=row.total,
        in_scope=row.in_scope,
        fund=row.fund,
        copaid=row.copaid,
        self_paid=row.self_paid,
        other=row.other,
    )
