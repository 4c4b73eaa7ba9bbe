"""People of the demo whom a station and a clinic follow: a pregnancy, an elder whose visit is overdue, blood
pressure."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct

from ehr.entry.models import EntryNumber, EntryPerson, EntryVitalSigns
from ehr.entry.service import Desk
from ehr.pregnancy.models import PregnancyFacts, TetanusDose
from ehr.programmes.models import EnrolmentBody, Programme, VisitBody
from ehr.programmes.service import enrol, visit
from healthbook.demo_accounts import StaffMember, granted
from healthbook.demo_people import DemoPerson
from identity.models import Facility
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from store.database import Store


class DemoEnrolment(Struct, frozen=True, kw_only=True):
    """One person who is followed. days_ago: since the enrolment; next_in: days from today, of the last visit.

    visits: days ago with the body of each, oldest first; last_period: days ago, of a pregnancy.
    """

    who: str
    nurse: str
    programme: Programme
    days_ago: int
    next_in: int
    visits: tuple[tuple[int, VisitBody], ...]
    stage: str | None = None
    last_period: int | None = None


def _visit(advice: str, systolic: str, diastolic: str, weight: str, dose: int | None = None) -> VisitBody:
    return VisitBody(
        visited_on=date.min,
        advice=advice,
        vital_signs=EntryVitalSigns(systolic=systolic, diastolic=diastolic, weight=weight),
        tetanus=TetanusDose(number=dose) if dose else None,
    )


ENROLMENTS: Final = (
    DemoEnrolment(
        who="huong",
        nurse="dd.mua",
        programme="pregnancy",
        days_ago=95,
        next_in=9,
        last_period=150,
        visits=(
            (95, _visit("Uống sắt và axit folic mỗi ngày.", "108", "68", "52.5")),
            (40, _visit("Tiêm uốn ván mũi 1; mũi 2 sau ít nhất một tháng.", "110", "70", "55.0", 1)),
        ),
    ),
    DemoEnrolment(
        who="tu",
        nurse="dd.mua",
        programme="elderly",
        days_ago=200,
        next_in=-4,
        stage="Cần người đi cùng",
        visits=((100, _visit("Đi lại nhẹ nhàng mỗi ngày, ăn nhạt.", "138", "82", "46.0")),),
    ),
    DemoEnrolment(
        who="lan",
        nurse="dd.hoa",
        programme="hypertension",
        days_ago=300,
        next_in=12,
        stage="Độ 1",
        visits=((30, _visit("Đo huyết áp tại nhà mỗi sáng.", "132", "82", "57.0")),),
    ),
)


async def follow_some(
    store: Store,
    people: dict[str, DemoPerson],
    facilities: dict[str, Facility],
    staff: list[StaffMember],
    now: datetime,
) -> None:
    """Each enrolment by its nurse, with the visits so far."""
    nurses = {one.card.username: one for one in staff}
    today = now.astimezone(VIETNAM).date()

    def ago(days: int) -> date:
        return today - timedelta(days=days)

    for one in ENROLMENTS:
        nurse = nurses[one.nurse]
        desk = Desk(nurse.actor, facilities[nurse.member.facility], str(uuid7(now)), now)
        async with store.transaction() as tx:
            made = granted(await enrol(tx, store.keys, desk, _body(one, people[one.who], ago)))
            for days, told in one.visits:
                body = VisitBody(
                    visited_on=ago(days),
                    next_visit_on=ago(-one.next_in) if days == one.visits[-1][0] else None,
                    advice=told.advice,
                    vital_signs=told.vital_signs,
                    tetanus=told.tetanus,
                )
                granted(await visit(tx, store.keys, desk, made.enrolment_id, body))


def _body(one: DemoEnrolment, person: DemoPerson, ago: Callable[[int], date]) -> EnrolmentBody:
    facts = None
    if one.last_period is not None:
        facts = PregnancyFacts(last_period_on=ago(one.last_period), tetanus_doses_before=0)
    return EnrolmentBody(
        person=EntryPerson(
            numbers=[EntryNumber(kind="national-id", value=person.number or "")],
            name=person.name,
            birth_date=person.birth_date,
            sex=person.sex,
        ),
        programme=one.programme,
        enrolled_on=ago(one.days_ago),
        stage=one.stage,
        pregnancy=facts,
    )
