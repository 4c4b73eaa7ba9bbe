"""Reminders that follow a book: the day to come back, the card, the schedule of vaccinations, a campaign."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from healthbook.dispatch import tick
from identity.births import service as births
from identity.models import Facility
from kernel.access import Label
from kernel.clock import VIETNAM
from kernel.ids import bucket_of
from reminders.care_plans.policy import schedule_of
from reminders.looking import JOB as LOOK
from store.models import Due
from tests.support import booking, costs
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer
from tests.support.people import make_citizen, make_facility, make_person, renew_session
from tests.support.record import write
from tests.support.registering import cancel, make_campaign, make_site, registered
from tests.support.reminding import Reminding, set_day
from visits.safety import service as safety


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


@pytest.fixture
async def hospital(here: Reminding) -> Facility:
    return await make_facility(here.store, here.clock, costs.CODE)


# Further ahead than any test looks.
FAR = "20991201"
CARD = "GD4797900000017"


async def visit(
    here: Reminding, hospital: Facility, day: str = "20261120", back: str = FAR, **fields: str
) -> None:
    """A visit of that day with the letter of the day to come back (XML14), as its facility sends them; and a
    look at the book."""
    said = {
        "NGAY_VAO": f"{day}0800",
        "NGAY_RA": f"{day}0900",
        "NGAY_TAI_KHAM": back,
        "NGAY_HEN_KL": f"{back}0800",
        "GT_THE_TU": "",
        "GT_THE_DEN": "",
    }
    report = await costs.visit(here.store, here.clock, hospital, here.citizen, **(said | fields))
    assert report.status == "imported", report
    await here.work()
    await look(here)


async def look(here: Reminding, person: UUID | None = None) -> None:
    person = person or here.citizen.patient_id
    async with here.store.transaction() as tx:
        due = Due(bucket=bucket_of(person), kind=LOOK, ref=str(person), due_at=here.clock.now())
        await tick(tx, here.store.keys, due, here.clock.now())
    await here.work()


async def of_kind(
    here: Reminding, kind: str, token: str | None = None, **headers: str
) -> list[dict[str, Any]]:
    found = [one for one in await here.reminders(token, **headers) if one["kind"] == kind]
    return [one for one in found if not one["on_days"] or one["on_days"][0] < FAR[:4]]


async def test_a_day_to_come_back_is_told_before_it(here: Reminding, hospital: Facility) -> None:
    await visit(here, hospital, back="20261201")
    (one,) = await of_kind(here, "revisit")
    assert (one["on_days"], one["times"]) == (["2026-11-28", "2026-11-30"], ["08:00"])
    assert one["came_from"]["what"] == "appointment"
    assert one["came_from"]["text"] == ["Hẹn khám lại: 08:00 ngày 01/12/2026"]
    assert one["came_from"]["facility_name"]
    await here.until(at(12, 2, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["28 08:00", "30 08:00"]


async def test_a_look_that_comes_twice_changes_nothing(here: Reminding, hospital: Facility) -> None:
    await visit(
        here, hospital, back="20261201", MA_THE_BHYT=CARD, GT_THE_TU="20260101", GT_THE_DEN="20261231"
    )
    before = await here.reminders()
    await look(here)
    assert await here.reminders() == before


async def test_whoever_came_early_is_not_reminded(here: Reminding, hospital: Facility) -> None:
    await visit(here, hospital, back="20261125", MA_LK="first")
    here.clock.set(at(11, 22, 18))
    await visit(here, hospital, "20261122", MA_LK="second")
    (one,) = await of_kind(here, "revisit")
    assert (one["state"], one["end_reason"]) == ("ended", "done")
    await here.until(at(11, 26, 12))
    assert "24 08:00" not in [when for _, when in await here.told("revisit-due")]


async def test_a_day_that_was_moved_moves_its_reminder(here: Reminding, hospital: Facility) -> None:
    await visit(here, hospital, back="20261201")
    await visit(here, hospital, back="20261210")
    standing = [one for one in await of_kind(here, "revisit") if one["state"] == "active"]
    assert [one["on_days"][-1] for one in standing] == ["2026-12-09"]
    await here.until(at(12, 11, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["07 08:00", "09 08:00"]


@pytest.mark.parametrize("how", ["hidden_from = ARRAY[$2::uuid]", "state = 'disputed'", "deleted = true"])
async def test_an_appointment_that_is_not_seen_rings_no_more(
    here: Reminding, hospital: Facility, how: str
) -> None:
    await visit(here, hospital, back="20261201")
    args = ["00000000-0000-0000-0000-000000000000"] if "$2" in how else []
    async with here.owner.transaction() as tx:
        sql = f"UPDATE ehr_resource SET {how} WHERE patient_id = $1"
        await tx.execute(sql, here.citizen.patient_id, *args)
    await here.until(at(12, 2, 12))
    assert await here.told("revisit-due") == []


async def test_s23_a_visit_of_a_sensitive_department_tells_the_family_nothing(
    here: Reminding, hospital: Facility
) -> None:
    mother = here.citizen
    number = "079216123456"
    child, _ = await make_person(
        here.store, here.clock, number=number, name="Trần Bé Thử", birth_date="2016-03-12", sex="male"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    await here.work()
    young = replace(
        here,
        citizen=replace(
            mother, patient_id=child, number=number, name="Trần Bé Thử", birth_date="2016-03-12", sex="male"
        ),
    )
    await visit(young, hospital, back="20261201")
    token = await renew_session(here.store, here.clock, mother)
    acting = {"X-Patient-Id": str(child)}
    assert len(await of_kind(here, "revisit", token, **acting)) == 1
    async with here.owner.transaction() as tx:
        await tx.execute(
            "UPDATE ehr_resource SET labels = $2 WHERE patient_id = $1 AND rtype = 'Encounter'",
            child,
            int(Label.PSY),
        )
    assert await of_kind(here, "revisit", token, **acting) == []
    await here.until(at(12, 2, 12))
    assert await here.told(patient_id=mother.patient_id) == []
    assert len(await here.told("revisit-due", patient_id=child)) == 2


async def test_a_card_is_told_before_it_expires_and_a_later_one_moves_it(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital, MA_THE_BHYT=CARD, GT_THE_TU="20260101", GT_THE_DEN="20261231")
    (one,) = await of_kind(here, "card")
    assert (one["on_days"], one["times"]) == (["2026-12-01", "2026-12-24"], ["09:00"])
    await here.until(at(12, 2, 12))
    assert [when for _, when in await here.told("card-expiring")] == ["01 09:00"]
    await visit(
        here,
        hospital,
        "20261202",
        MA_LK="later",
        MA_THE_BHYT=CARD,
        GT_THE_TU="20270101",
        GT_THE_DEN="20271231",
    )
    (one,) = await of_kind(here, "card")
    assert one["on_days"] == ["2027-12-01", "2027-12-24"]
    await here.until(at(12, 26, 12))
    assert len(await here.told("card-expiring")) == 1


async def test_the_next_dose_of_a_childs_schedule_is_told_to_the_mother(here: Reminding) -> None:
    """Born on the first of October: at two months the first dose against diphtheria, tetanus and pertussis is
    due, whose rows were read in their source; those that were not make no reminder."""
    mother = here.citizen
    child, _ = await make_person(
        here.store, here.clock, number="079226123456", name="Trần Bé Sơ", birth_date="2026-10-01"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    await here.work()
    await look(here, child)
    token = await renew_session(here.store, here.clock, mother)
    (one,) = await of_kind(here, "vaccination", token, **{"X-Patient-Id": str(child)})
    assert one["came_from"]["what"] == "vaccination-schedule"
    assert one["came_from"]["source"]
    assert "2026-12-01" in one["on_days"]
    await here.until(at(12, 1, 12))
    told = await here.told(patient_id=mother.patient_id)
    assert ("dependent-reminder", "01 09:00") in told


async def test_an_adult_without_doses_is_reminded_of_no_childhood(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital)
    assert await of_kind(here, "vaccination") == []


async def test_a_place_in_a_campaign_is_told_on_its_day_and_not_when_it_was_given_back(
    here: Reminding,
) -> None:
    site = await make_site(here.store, here.clock)
    campaign = await make_campaign(here.client, here.clock, site, 5, 5)
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    row = await registered(here.client, here.citizen, campaign)
    await here.work()
    (one,) = await of_kind(here, "revisit")
    assert (one["came_from"]["what"], one["came_from"]["id"]) == ("registration", row["registration_id"])
    assert one["on_days"][-1] == "2026-11-24"
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    assert (await cancel(here.client, here.citizen, row["registration_id"])).status_code == 200
    await here.work()
    (one,) = await of_kind(here, "revisit")
    assert (one["state"], one["end_reason"]) == ("ended", "cancelled")
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    await registered(here.client, here.citizen, campaign, number=1)
    await here.until(at(11, 25, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["24 06:30"]


async def test_a_booked_visit_is_told_before_its_day_and_a_held_place_is_not(here: Reminding) -> None:
    clinic = await booking.make_clinic(here.store, here.clock)
    plan = await booking.make_schedule(here.client, here.clock, clinic, 5, 5)
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    row = await booking.held(here.client, here.citizen, plan)
    await here.work()
    assert await of_kind(here, "revisit") == []
    done = await booking.act(here.client, here.citizen, row["appointment_id"], "confirm")
    assert done.status_code == 200
    await here.work()
    (one,) = await of_kind(here, "revisit")
    assert (one["came_from"]["what"], one["came_from"]["id"]) == ("booking", row["appointment_id"])
    assert one["came_from"]["facility_name"] == clinic.facility.name
    assert one["on_days"][-1] == "2026-11-24"
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    await booking.act(here.client, here.citizen, row["appointment_id"], "cancel")
    await here.work()
    (one,) = await of_kind(here, "revisit")
    assert (one["state"], one["end_reason"]) == ("ended", "cancelled")
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    await booking.booked(here.client, here.citizen, plan, 1)
    await here.until(at(11, 25, 12))
    assert [when for _, when in await here.told("revisit-due")] == ["24 06:30"]


async def test_s23_a_childs_flagged_visit_is_told_to_no_guardian_and_an_open_one_is(here: Reminding) -> None:
    mother = here.citizen
    child = await make_child(here.store, here.clock, mother)
    clinic = await booking.make_clinic(here.store, here.clock)
    plan = await booking.make_schedule(here.client, here.clock, clinic, 5, 5)
    mother.token = await renew_session(here.store, here.clock, mother)
    headers = bearer(mother.token) | {"X-Patient-Id": str(child)}
    for number, is_flagged in ((0, True), (1, False)):
        row = await booking.booked(here.client, headers, plan, number)
        if is_flagged:
            ident = UUID(row["appointment_id"])
            async with here.store.transaction() as tx:
                await safety.flag(tx, child, "booking", ident, "suspected-abuse", here.clock.now())
    await here.work()
    mother.token = await renew_session(here.store, here.clock, mother)
    shown = await of_kind(here, "revisit", mother.token, **{"X-Patient-Id": str(child)})
    assert [one["came_from"]["id"] for one in shown] == [row["appointment_id"]]
    await here.until(at(11, 25, 12))
    told = await here.told(patient_id=mother.patient_id)
    assert [one for one in told if one[0] == "dependent-reminder"] == [("dependent-reminder", "24 06:30")]


async def test_s23_what_lies_at_a_facility_that_becomes_sensitive_is_told_to_no_guardian(
    here: Reminding, hospital: Facility
) -> None:
    """A booked visit and the day to come back."""
    mother, number = here.citizen, "079216123457"
    child, _ = await make_person(
        here.store, here.clock, number=number, name="Trần Bé Thử", birth_date="2016-03-12", sex="male"
    )
    async with here.store.transaction() as tx:
        await births.link(tx, child, mother.patient_id, None, here.clock.now())
    await here.work()
    clinic = await booking.make_clinic(here.store, here.clock)
    plan = await booking.make_schedule(here.client, here.clock, clinic, 5)
    mother.token = await renew_session(here.store, here.clock, mother)
    acting = {"X-Patient-Id": str(child)}
    await booking.booked(here.client, bearer(mother.token) | acting, plan)
    who = replace(mother, patient_id=child, number=number, name="Trần Bé Thử", birth_date="2016-03-12")
    await visit(replace(here, citizen=replace(who, sex="male")), hospital, back="20261124")
    token = await renew_session(here.store, here.clock, mother)
    shown = await of_kind(here, "revisit", token, **acting)
    assert {one["came_from"]["what"] for one in shown} == {"booking", "appointment"}
    try:
        await rename(here, clinic.facility, "Bệnh viện Tâm thần")
        await rename(here, hospital, "Trung tâm Cai nghiện ma túy")
        assert await of_kind(here, "revisit", token, **acting) == []
        await here.until(at(11, 25, 12))
        assert await here.told(patient_id=mother.patient_id) == []
        assert len(await here.told("revisit-due", patient_id=child)) >= 2
    finally:
        await rename(here, hospital, hospital.name)


async def rename(here: Reminding, facility: Facility, name: str) -> None:
    async with here.owner.transaction() as tx:
        sql = "UPDATE facility SET name = $2 WHERE facility_id = $1"
        await tx.execute(sql, facility.facility_id, name)


@pytest.mark.parametrize(
    "kept",
    [
        {"is_private": True},
        {"title": "Tiêm viêm gan B cho người điều trị ARV"},
        {"place": "Phòng khám Tâm thần"},
    ],
)
async def test_s23_of_a_registration_that_is_kept_the_words_say_the_time_alone(
    here: Reminding, kept: dict[str, Any]
) -> None:
    """Phones ring with these words on a locked screen; others may hold the phone."""
    site = await make_site(here.store, here.clock)
    about = {name: text for name, text in kept.items() if name != "is_private"}
    campaign = await make_campaign(here.client, here.clock, site, 5, **about)
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    own = {name: said for name, said in kept.items() if name == "is_private"}
    await registered(here.client, here.citizen, campaign, **own)
    await here.work()
    (one,) = await of_kind(here, "revisit")
    assert (one["title"], one["is_private"]) == ("Lịch hẹn", True)
    (text,) = one["came_from"]["text"]
    assert text.startswith("Lịch hẹn: ")
    assert text.endswith("ngày 24/11/2026")
    assert one["came_from"]["facility_name"] is None


async def test_s23_a_proxy_who_reads_the_book_is_shown_no_registration(here: Reminding) -> None:
    """Who reads the record need not manage appointments."""
    daughter = await make_citizen(here.store, here.clock)
    await make_proxy(here.store, here.clock, here.citizen, daughter, "read-record")
    site = await make_site(here.store, here.clock)
    campaign = await make_campaign(here.client, here.clock, site, 5)
    here.citizen.token = await renew_session(here.store, here.clock, here.citizen)
    await registered(here.client, here.citizen, campaign)
    await here.work()
    assert len(await of_kind(here, "revisit")) == 1
    token = await renew_session(here.store, here.clock, daughter)
    of = {"X-Patient-Id": str(here.citizen.patient_id)}
    assert await of_kind(here, "revisit", token, **of) == []


async def test_an_episode_is_news_once_in_however_many_files_it_comes(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital, "20260105", MA_LK="before")
    assert await here.told("records-added") == []
    for reason in ("Đau bụng", "Đau bụng, đã có kết quả", "Đau bụng, đã có giấy ra viện"):
        await visit(here, hospital, MA_LK="lately", LY_DO_VV=reason)
    assert len(await here.told("records-added")) == 1
    here.clock.advance(hours=1)
    await visit(here, hospital, "20261121", MA_LK="next")
    assert len(await here.told("records-added")) == 2


def care_plan(status: str = "active", **repeat: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}
    detail = {"code": code, "status": "scheduled", "scheduledTiming": {"repeat": repeat}}
    return {
        "resourceType": "CarePlan",
        "id": "plan",
        "status": status,
        "intent": "plan",
        "title": "Theo dõi tăng huyết áp",
        "activity": [{"detail": detail | {"description": "Đo huyết áp tại nhà"}}],
    }


async def test_a_care_plan_that_says_when_to_measure_is_followed(
    here: Reminding,
) -> None:
    person = here.citizen.patient_id
    plan = care_plan(frequency=1, period=1, periodUnit="wk", dayOfWeek=["tue"], timeOfDay=["06:30:00"])
    await write(here.store, person, [plan], here.clock.now())
    await look(here)
    (one,) = await of_kind(here, "measurement")
    assert (one["what"], one["times"], one["weekdays"]) == ("blood-pressure", ["06:30"], [2])
    assert (one["came_from"]["what"], one["came_from"]["text"][-1]) == ("care-plan", "Đo huyết áp tại nhà")
    await here.until(at(11, 25, 12))
    await write(here.store, person, [care_plan("completed")], here.clock.now())
    await look(here)
    await here.until(at(12, 3, 12))
    assert [when for _, when in await here.told("measurement-due")] == ["24 06:30"]
    assert await of_kind(here, "measurement") == []


NOVEMBER = {"start": "2026-11-01", "end": "2026-11-03"}


async def test_what_a_care_plan_asks_for_moves_with_the_persons_day(here: Reminding) -> None:
    person = here.citizen.patient_id
    plan = care_plan(frequency=1, period=1, periodUnit="d", when=["ACV"])
    await write(here.store, person, [plan], here.clock.now())
    await look(here)
    assert [one["times"] for one in await of_kind(here, "measurement")] == [["19:30"]]
    await set_day(here, dinner="18:30")
    assert [one["times"] for one in await of_kind(here, "measurement")] == [["18:00"]]


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ({"frequency": 2, "period": 1, "periodUnit": "d"}, (["07:00", "20:00"], 1, (), 0)),
        ({"period": 2, "periodUnit": "d"}, (["07:00"], 2, (), 0)),
        ({"period": 1, "periodUnit": "wk"}, (["07:00"], 7, (), 0)),
        (
            {"frequency": 2, "period": 1, "periodUnit": "wk", "dayOfWeek": ["fri", "mon"]},
            (["07:00"], 1, (1, 5), 0),
        ),
        ({"when": ["HS"]}, (["21:30"], 1, (), 0)),
        ({"when": ["ACM"]}, (["06:30"], 1, (), 0)),
        ({"when": ["MORN"], "boundsPeriod": NOVEMBER}, (["07:00"], 1, (), 3)),
        ({"period": 2, "periodUnit": "d", "boundsPeriod": NOVEMBER}, (["07:00"], 1, (), 2)),
        ({"when": ["MORN"], "boundsPeriod": {"end": "2026-11-03"}}, None),
        ({"when": ["MORN"], "boundsDuration": {"value": 3, "code": "d"}}, None),
        ({"when": ["MORN"], "boundsDuration": {"value": 3, "code": "mo"}}, None),
        ({"when": ["MORN"], "count": 3}, None),
        ({"when": ["PCM"], "offset": 60}, None),
        ({"frequency": 1, "frequencyMax": 3, "period": 1, "periodUnit": "d"}, None),
        ({"dayOfWeek": ["mon"], "period": 2, "periodUnit": "wk"}, None),
        ({"frequency": 3, "period": 1, "periodUnit": "wk"}, None),
        ({"frequency": 9, "period": 1, "periodUnit": "d"}, None),
        ({"period": 1, "periodUnit": "mo"}, None),
        ({"period": Decimal("1.5"), "periodUnit": "d"}, None),
        ({"dayOfWeek": ["someday"]}, None),
        ({"period": 1, "periodUnit": "d", "timeOfDay": ["noon"]}, None),
        ({"boundsPeriod": "2026"}, None),
        ({}, None),
    ],
)
def test_a_timing_that_leaves_its_days_open_makes_no_reminder(
    repeat: dict[str, Any], expected: tuple[list[str], int, tuple[int, ...], int] | None
) -> None:
    made = schedule_of({"repeat": repeat})
    told = None
    if made is not None:
        times = [f"{one:%H:%M}" for one in made.times]
        told = (times, made.every_days, made.weekdays, len(made.on_days))
    assert told == expected


def test_a_length_begins_with_the_plan() -> None:
    repeat = {"when": ["MORN"], "boundsDuration": {"value": 2, "code": "d"}}
    made = schedule_of({"repeat": repeat}, begins="2026-11-20")
    assert made is not None
    assert [f"{day:%d}" for day in made.on_days] == ["20", "21"]
