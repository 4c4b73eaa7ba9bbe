"""Health checks of the demo, of this year and of the last, as a nurse types them in."""

from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct

from ehr.entry.models import EntryNumber, EntryPerson
from ehr.entry.service import Desk
from ehr.health_checks.models import CheckBody
from ehr.health_checks.service import record
from ehr.health_checks.templates import CheckKind
from healthbook.demo_accounts import StaffMember, granted
from healthbook.demo_people import DemoPerson
from identity.models import Facility
from kernel.clock import VIETNAM, add_months
from kernel.ids import uuid7
from store.database import Store

FORM: Final = "831-d"


class DemoCheck(Struct, frozen=True, kw_only=True):
    """One check. days_ago: from today; months_valid: from its day."""

    who: str
    nurse: str
    kind: CheckKind
    days_ago: int
    health_class: str
    conclusion: str
    values: dict[str, str]
    months_valid: int | None = None


_CHILD: Final = {"MACH": "92", "NHIETDO": "36.6", "SUDUNGKINH": "0", "KHAMTIMMACH": "Bình thường"}
_ADULT: Final = {"NHIETDO": "36.5", "CHIEUCAO": "154.0", "KHAMTIMMACH": "Bình thường"}
CHECKS: Final = (
    DemoCheck(
        who="bao-anh",
        nurse="dd.mua",
        kind="school",
        days_ago=415,
        health_class="Loại II",
        conclusion="Đủ sức khỏe đến lớp",
        values=_CHILD | {"CHIEUCAO": "106.5", "CANNANG": "16.40", "KHAMRHM": "Sâu răng số 5"},
    ),
    DemoCheck(
        who="bao-anh",
        nurse="dd.mua",
        kind="school",
        days_ago=50,
        health_class="Loại I",
        conclusion="Đủ sức khỏe học tập",
        values=_CHILD | {"CHIEUCAO": "113.0", "CANNANG": "18.90", "KHAMRHM": "Răng đã trám, bình thường"},
    ),
    DemoCheck(
        who="lan",
        nurse="dd.hoa",
        kind="yearly",
        days_ago=400,
        health_class="Loại II",
        conclusion="Theo dõi huyết áp hằng tháng",
        values=_ADULT | {"MACH": "80", "HUYETAPTT": "142", "HUYETAPTD": "88", "CANNANG": "58.5"},
    ),
    DemoCheck(
        who="lan",
        nurse="dd.hoa",
        kind="yearly",
        days_ago=30,
        health_class="Loại II",
        conclusion="Huyết áp đã ổn định hơn, tiếp tục điều trị",
        values=_ADULT | {"MACH": "76", "HUYETAPTT": "132", "HUYETAPTD": "82", "CANNANG": "57.0"},
    ),
    DemoCheck(
        who="minh",
        nurse="dd.hoa",
        kind="driving-licence",
        days_ago=60,
        health_class="Loại I",
        conclusion="Đủ điều kiện sức khỏe lái xe hạng B1",
        values={"MACH": "74", "HUYETAPTT": "122", "HUYETAPTD": "78", "MATPHAI": "10/10", "MATTRAI": "10/10"},
        months_valid=6,
    ),
)


async def check_some(
    store: Store,
    people: dict[str, DemoPerson],
    facilities: dict[str, Facility],
    staff: list[StaffMember],
    now: datetime,
) -> None:
    """Each check by its nurse, long after the day it is about."""
    nurses = {one.card.username: one for one in staff}
    for number, check in enumerate(CHECKS, start=1):
        nurse = nurses[check.nurse]
        desk = Desk(nurse.actor, facilities[nurse.member.facility], str(uuid7(now)), now)
        async with store.transaction() as tx:
            granted(await record(tx, store.keys, desk, _body(check, people[check.who], number, now)))


def _body(check: DemoCheck, person: DemoPerson, number: int, now: datetime) -> CheckBody:
    day: date = now.astimezone(VIETNAM).date() - timedelta(days=check.days_ago)
    return CheckBody(
        kind=check.kind,
        form=FORM,
        check_number=f"KSK-{number:03}",
        done_on=day,
        person=EntryPerson(
            numbers=[EntryNumber(kind="national-id", value=person.number or "")],
            name=person.name,
            birth_date=person.birth_date,
            sex=person.sex,
        ),
        health_class=check.health_class,
        conclusion=check.conclusion,
        valid_until=add_months(day, check.months_valid) if check.months_valid else None,
        values=check.values,
    )
