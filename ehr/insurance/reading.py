"""The cards of a person, from the Coverage rows that an access shows."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from ehr.insurance import queries
from ehr.insurance.models import Card, Cards
from ehr.insurance.policy import LIST_VI, NOTICE_VI, Reported, cards_of
from ehr.insurance.queries import CoverageRow
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import Scope, scope_of
from identity.population.listed import listed
from identity.population.models import Listing
from identity.register.facilities import facility_by_code
from kernel.access import Access
from kernel.clock import local_day
from store.database import Tx
from store.keys import KeyRing

# Of somebody with a visit a week that is four years; older reports of the same cards add nothing.
REPORTS_MAX = 200


class _Period(Struct):
    start: str | None = None
    end: str | None = None


class _Class(Struct):
    value: str = ""
    type: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        codings = self.type.get("coding") or [{}]
        return str(codings[0].get("code", ""))


class _Exception(Struct):
    period: _Period = msgspec.field(default_factory=_Period)


class _Share(Struct):
    exception: list[_Exception] = []


class _Coverage(Struct, rename={"classes": "class", "shares": "costToBeneficiary"}):
    period: _Period = msgspec.field(default_factory=_Period)
    classes: list[_Class] = []
    shares: list[_Share] = []


class _Face(Struct):
    facility_name: str | None = None


async def read(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> Built:
    """What facilities reported of the person's cards and what the insurer's list has, folded to cards."""
    rows = await queries.COVERAGES.all(tx, *scope_of(access, now), REPORTS_MAX)
    cards = await _folded(tx, rows, await _listed(tx, keys, access), now)
    return Built(encode(Cards(items=cards, notice_vi=NOTICE_VI)), [("Coverage", row.id) for row in rows])


async def cards_seen(tx: Tx, access: Access, now: datetime) -> list[Card]:
    """The cards that this access sees, valid ones first."""
    return await _folded(tx, await queries.COVERAGES.all(tx, *scope_of(access, now), REPORTS_MAX), (), now)


async def cards_of_scope(tx: Tx, scope: Scope, now: datetime) -> tuple[list[Card], list[str]]:
    """The same for a scope that is narrower than its Access, and the ids of the reports behind them."""
    rows = await queries.COVERAGES.all(tx, *scope, REPORTS_MAX)
    return await _folded(tx, rows, (), now), [row.id for row in rows]


async def _listed(tx: Tx, keys: KeyRing, access: Access) -> list[Reported]:
    """The insurer's list says nothing of what an access to parts of the record covers."""
    if access.types is not None:
        return []
    found = [one for one in await listed(tx, keys, access.patient_id) if one.kind == "cards"]
    return [_of_list(one.says, local_day(one.listed_at)) for one in found]


def _of_list(card: Listing, as_of: date) -> Reported:
    classes = {
        "benefit": card.benefit,
        "initial-facility": card.facility_code,
        "area": card.area,
        "five-years": card.five_years,
    }
    return Reported(
        valid_from=card.valid_from,
        valid_until=card.valid_until,
        exempt_from=None,
        classes={kind: value for kind, value in classes.items() if value},
        facility_name=LIST_VI,
        as_of=as_of.isoformat(),
        charged=[],
    )


async def _folded(tx: Tx, rows: list[CoverageRow], of_list: Sequence[Reported], now: datetime) -> list[Card]:
    reported = [*(_reported(row) for row in rows), *of_list]
    today = local_day(now)
    codes = {one.classes["initial-facility"] for one in reported if "initial-facility" in one.classes}
    return cards_of(reported, await _names(tx, codes, today), today)


def _reported(row: CoverageRow) -> Reported:
    said = msgspec.json.decode(row.doc, type=_Coverage)
    exempt = (one.period.start for share in said.shares for one in share.exception)
    as_of = row.visit_at or row.updated
    return Reported(
        valid_from=_day(said.period.start),
        valid_until=_day(said.period.end),
        exempt_from=next((_day(start) for start in exempt if start), None),
        classes={one.kind: _day(one.value) or one.value for one in said.classes if one.value},
        facility_name=msgspec.json.decode(row.item, type=_Face).facility_name,
        as_of=local_day(as_of).isoformat(),
        charged=sorted(row.benefits or []),
    )


def _day(text: str | None) -> str | None:
    """The day of a FHIR date or instant as sent; None for what is none."""
    try:
        return date.fromisoformat((text or "")[:10]).isoformat()
    except ValueError:
        return None


async def _names(tx: Tx, codes: set[str], today: date) -> dict[str, str]:
    found = {code: await facility_by_code(tx, code, today) for code in sorted(codes)}
    return {code: facility.name for code, facility in found.items() if facility is not None}
