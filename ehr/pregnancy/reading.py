"""Pregnancies that are being followed, as far as an Access reaches: week, visits and doses of today."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct

from ehr.fhir import CarePlan, Extension, Immunization
from ehr.intake.systems import PROGRAMME_STATE
from ehr.pregnancy import queries
from ehr.pregnancy.dating import age_on, first_day
from ehr.pregnancy.models import Age, DatedBy, DoseGiven, DoseShown, VisitShown
from ehr.pregnancy.queries import DoseRow, PlanRow
from ehr.pregnancy.rules import RULES
from ehr.pregnancy.schedule import doses_due, visits_due, with_elsewhere
from ehr.reads.models import Built, Notice
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import local_day
from store.database import Tx

_BY_VI: dict[DatedBy, str] = {
    "last-period": "tính theo kỳ kinh cuối",
    "ultrasound": "tính theo siêu âm",
    "due-date": "tính theo ngày dự sinh cơ sở ghi",
}


class Sources(Struct, frozen=True, kw_only=True):
    """Where the rules come from. status: `unconfirmed` until the ministry's own are known."""

    version: str
    status: str
    dating: str
    visits: str
    tetanus: str


class Pregnancy(Struct, kw_only=True):
    """One pregnancy as one facility follows it. weeks and days: completed today; null: before the first day.

    text_vi: the same for people. tetanus_known: whether the facility knew the doses before.
    """

    id: str
    facility_name: str | None
    followed_since: str | None
    due_on: date
    dated_by: DatedBy
    weeks: int | None
    days: int | None
    text_vi: str
    next_visit_on: date | None
    visits: list[VisitShown]
    tetanus: list[DoseShown]
    tetanus_known: bool
    freshness_vi: str | None


class Pregnancies(Struct, kw_only=True):
    """Pregnancies that are being followed; usually none or one. danger_vi comes first on every screen."""

    items: list[Pregnancy]
    danger_vi: str
    danger_en: str
    sources: Sources
    notice: Notice | None


class _Facts(Struct, kw_only=True):
    """What a plan carries of its pregnancy."""

    due_on: date
    dated_by: DatedBy
    doses_before: int | None = None
    last_before: date | None = None
    next_visit_on: date | None = None
    freshness: str | None = None
    visited: list[date] = []
    doses: list[DoseGiven] = []


_PLAN = msgspec.json.Decoder(CarePlan)
_DOSE = msgspec.json.Decoder(Immunization)


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """Every pregnancy that a facility follows now and that the reader may know of."""
    rows = await queries.PLANS.all(tx, *scope_of(access, now))
    today = local_day(now)
    doses = await _doses_in(tx, access, now) if rows else []
    days = [day for _, day in doses]
    found = [(row, made) for row in rows if (made := pregnancy_of(row, today, days)) is not None]
    answer = Pregnancies(
        items=[made for _, made in found],
        danger_vi=RULES.danger_signs.vi,
        danger_en=RULES.danger_signs.en,
        sources=Sources(
            version=RULES.version,
            status=RULES.status,
            dating=RULES.dating.source,
            visits=RULES.visits.source,
            tetanus=RULES.tetanus.source,
        ),
        notice=notice_for(access),
    )
    shown = [(row.rtype, row.id) for row, _ in found]
    if found:
        shown += [(row.rtype, row.id) for row, _ in doses]
    return Built(encode(answer), shown)


async def _doses_in(tx: Tx, access: Access, now: datetime) -> list[tuple[DoseRow, date]]:
    """Doses whoever gave them, as far as the reader may know of them, by the codes of the rules."""
    known = {(one.system, one.code) for one in RULES.tetanus.vaccines.codes}
    found = []
    for row in await queries.DOSES.all(tx, *scope_of(access, now)):
        dose = _DOSE.decode(row.doc)
        day = _whole_day(dose.occurrence_date_time or "")
        if day and any((one.system, one.code) in known for one in dose.vaccine_code.coding):
            found.append((row, day))
    return found


def pregnancy_of(row: PlanRow, today: date, elsewhere: Sequence[date] = ()) -> Pregnancy | None:
    """One plan as people read it; None where it says no date that we know of (another sender's).

    elsewhere: days of tetanus doses in the book, whoever gave them.
    """
    plan = _PLAN.decode(row.doc)
    facts = _facts(plan)
    if facts is None:
        return None
    age = age_on(facts.due_on, today)
    doses, before, last = with_elsewhere(
        facts.doses, facts.doses_before, facts.last_before, elsewhere, first_day(facts.due_on)
    )
    return Pregnancy(
        id=row.id,
        facility_name=row.facility_name,
        followed_since=plan.period.start if plan.period else None,
        due_on=facts.due_on,
        dated_by=facts.dated_by,
        weeks=age.weeks if age else None,
        days=age.days if age else None,
        text_vi=_sentence(facts, age, today),
        next_visit_on=facts.next_visit_on,
        visits=visits_due(facts.due_on, facts.visited, today),
        tetanus=doses_due(facts.due_on, doses, before, last, today),
        tetanus_known=facts.doses_before is not None,
        freshness_vi=facts.freshness,
    )


def _sentence(facts: _Facts, age: Age | None, today: date) -> str:
    due = f"Ngày dự sinh {facts.due_on:%d/%m/%Y} ({_BY_VI[facts.dated_by]})."
    if facts.next_visit_on is not None and facts.next_visit_on < today:
        days = (today - facts.next_visit_on).days
        due += f" Đã quá hẹn khám {days} ngày: hãy đến cơ sở đang theo dõi."
    if age is None:
        return due
    if today > facts.due_on:
        days = (today - facts.due_on).days
        return (
            f"Đã quá ngày dự sinh {days} ngày. {due} Hãy đến cơ sở đang theo dõi hoặc khoa sản ngay hôm nay."
        )
    return f"Thai {age.weeks} tuần {age.days} ngày. {due}"


def _facts(plan: CarePlan) -> _Facts | None:
    whole = next((one for one in plan.extension if one.url == PROGRAMME_STATE), None)
    parts = whole.extension if whole else []
    named = {part.url: part for part in parts}
    due, by = _day(named.get("due-on")), named.get("dated-by")
    if due is None or by is None or by.value_code not in _BY_VI:
        return None
    before, freshness = named.get("tetanus-before"), named.get("freshness")
    return _Facts(
        due_on=due,
        dated_by=by.value_code,
        doses_before=before.value_integer if before else None,
        last_before=_day(named.get("tetanus-last")),
        next_visit_on=_day(named.get("next-visit")),
        freshness=freshness.value_string if freshness else None,
        visited=[day for part in parts if part.url == "visit" and (day := _day(part))],
        doses=[dose for part in parts if part.url == "tetanus-dose" and (dose := _dose(part))],
    )


def _dose(part: Extension) -> DoseGiven | None:
    inside = {one.url: one for one in part.extension}
    number, day = inside.get("number"), _day(inside.get("on"))
    if number is None or number.value_integer is None or day is None:
        return None
    return DoseGiven(number.value_integer, day)


def _day(part: Extension | None) -> date | None:
    return _whole_day(part.value_date or "") if part else None


def _whole_day(text: str) -> date | None:
    """A day as we write it; what another sender put there may be none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
