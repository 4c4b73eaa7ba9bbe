"""Medicines of a visit without an e-prescription: plans of what is taken at home, none of a stay."""

from datetime import UTC, datetime
from typing import Any

import pytest

from healthbook.dispatch import tick
from identity.models import Facility
from kernel.clock import VIETNAM
from kernel.ids import bucket_of
from reminders.looking import JOB as LOOK
from reminders.models import Reminder
from reminders.orders import following
from reminders.orders.reading import Order, is_taken_home
from store.models import Due
from tests.support import costs
from tests.support.people import make_facility
from tests.support.record import write
from tests.support.reminding import Reminding, drug, set_day

COURSE = {"start": "2026-11-21", "end": "2026-11-25"}
TWICE = "1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=VIETNAM).astimezone(UTC)


@pytest.fixture
async def hospital(here: Reminding) -> Facility:
    return await make_facility(here.store, here.clock, costs.CODE)


async def look(here: Reminding) -> None:
    person = here.citizen.patient_id
    async with here.store.transaction() as tx:
        due = Due(bucket=bucket_of(person), kind=LOOK, ref=str(person), due_at=here.clock.now())
        await tick(tx, here.store.keys, due, here.clock.now())
    await here.work()


async def visit(here: Reminding, hospital: Facility, dose: str, **fields: str) -> None:
    """A visit of the day before, all of whose medicines are taken so."""
    said = {
        "NGAY_VAO": "202611200800",
        "NGAY_RA": "202611200900",
        "NGAY_YL": "202611200830",
        "NGAY_TH_YL": "202611200840",
        "NGAY_TAI_KHAM": "20991201",
        "NGAY_HEN_KL": "209912010800",
        "GT_THE_TU": "",
        "GT_THE_DEN": "",
        "LIEU_DUNG": dose,
        "CACH_DUNG": "Sau ăn",
    }
    report = await costs.visit(here.store, here.clock, hospital, here.citizen, **(said | fields))
    assert report.status == "imported", report
    await here.work()
    await look(here)


async def medicines(here: Reminding) -> list[dict[str, Any]]:
    return [one for one in await here.reminders() if one["kind"] == "medication"]


async def test_a_line_of_a_visit_rings_until_as_many_days_after_the_order_and_shows_its_text(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital, TWICE, SO_LUONG="10", DON_VI_TINH="Viên")
    found = await medicines(here)
    assert found
    for one in found:
        assert (one["came_from"]["what"], one["times"]) == ("order", ["07:30", "20:30"])
        assert one["dosage"] == [TWICE, "Sau ăn"]
        # Ordered yesterday at 08:30: that evening and this morning are over.
        assert one["doses_left"] == 8
    await here.until(at(28, 12))
    days = sorted({day for day, _ in await here.outcomes()})
    assert (days[0], days[-1]) == ("21 20:30", "25 07:30")
    assert {one["end_reason"] for one in await medicines(here)} == {"used-up"}


async def test_what_is_open_is_asked_and_what_a_stay_gave_makes_no_plan(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital, "Theo y lệnh", CACH_DUNG="")
    assert {(one["state"], one["asks"]) for one in await medicines(here)} == {("asks", "times")}
    # The same visit, sent again as a stay.
    await visit(here, hospital, TWICE, MA_LOAI_KCB="03")
    assert {(one["state"], one["end_reason"]) for one in await medicines(here)} <= {("ended", "cancelled")}
    await here.until(at(24, 12))
    assert await here.outcomes() == []


async def prescribed_today(here: Reminding, hospital: Facility, name: str, facility: str) -> str:
    """An e-prescription of this medicine and a visit of the same day with Zinzol; the code."""
    if facility == "same":
        here.clinic, here.clinic_code = hospital, costs.CODE
    code = await here.send(drug(TWICE, name=name))
    day = f"{here.clock.now().astimezone(VIETNAM):%Y%m%d}"
    hours = {"NGAY_VAO": f"{day}0000", "NGAY_RA": f"{day}0001", "NGAY_YL": f"{day}0000", "NGAY_TH_YL": ""}
    await visit(here, hospital, TWICE, TEN_THUOC="Zinzol", **hours)
    return code


async def sources(here: Reminding) -> set[tuple[str, str]]:
    return {(one["came_from"]["what"], one["state"]) for one in await medicines(here)}


async def test_what_an_e_prescription_of_its_visit_handed_out_takes_the_place_of_an_order(
    here: Reminding, hospital: Facility
) -> None:
    code = await prescribed_today(here, hospital, "Zinzol 5 mg", "same")
    assert await sources(here) == {("order", "active")}
    await here.dispense(code, (1, "10"))
    await look(here)
    assert await sources(here) == {("prescription", "active")}
    await here.take_back(code)
    await look(here)
    assert ("order", "active") in await sources(here)


@pytest.mark.parametrize(("name", "facility"), [("Zinzol 5 mg", "other"), ("Amlodipin 5 mg", "same")])
async def test_an_e_prescription_of_something_else_takes_no_orders_place(
    here: Reminding, hospital: Facility, name: str, facility: str
) -> None:
    code = await prescribed_today(here, hospital, name, facility)
    await here.dispense(code, (1, "10"))
    await look(here)
    assert await sources(here) == {("prescription", "active"), ("order", "active")}


async def test_a_course_that_was_over_before_its_order_came_is_not_listed(
    here: Reminding, hospital: Facility
) -> None:
    await visit(
        here,
        hospital,
        "1 viên/lần * 2 lần/ngày * 1 ngày",
        NGAY_VAO="202611100800",
        NGAY_RA="202611100900",
        NGAY_YL="202611100830",
        NGAY_TH_YL="",
    )
    assert await medicines(here) == []


async def test_another_look_changes_nothing_and_a_stop_of_the_person_stays(
    here: Reminding, hospital: Facility
) -> None:
    await visit(here, hospital, TWICE)
    before = await medicines(here)
    await look(here)
    assert await medicines(here) == before
    await here.change(before[0]["reminder_id"], act="stop")
    await look(here)
    assert (await medicines(here))[-1]["state"] == "stopped"


async def test_orders_move_with_the_persons_day(here: Reminding, hospital: Facility) -> None:
    await visit(here, hospital, TWICE)
    await set_day(here, breakfast="06:00", dinner="18:30")
    assert {tuple(one["times"]) for one in await medicines(here)} == {("06:30", "19:00")}


def request(number: int, **repeat: Any) -> dict[str, Any]:
    """A medication request of a FHIR core, for the time at home."""
    return {
        "resourceType": "MedicationRequest",
        "id": f"request-{number}",
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"code": "community"}]}],
        "medicationCodeableConcept": {"text": f"Thuốc {number}"},
        "authoredOn": "2026-11-21T08:00:00+07:00",
        "dosageInstruction": [{"timing": {"repeat": repeat}}],
    }


async def test_an_order_rings_on_the_days_of_its_course(here: Reminding) -> None:
    over = {"start": "2020-01-01", "end": "2020-01-05"}
    ahead = {"start": "2026-12-01", "end": "2026-12-03"}
    sent = [request(1, when=["MORN"], boundsPeriod=over), request(2, when=["MORN"], boundsPeriod=ahead)]
    await write(here.store, here.citizen.patient_id, sent, here.clock.now())
    await look(here)
    assert [one["title"] for one in await medicines(here)] == ["Thuốc 2"]
    await here.until(datetime(2026, 12, 6, tzinfo=VIETNAM).astimezone(UTC))
    days = [day for day, _ in await here.outcomes()]
    assert days == ["01 07:00", "02 07:00", "03 07:00"]


async def test_an_order_that_cannot_be_planned_holds_back_no_other(
    here: Reminding, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = following.ordered

    def broken(before: Reminder, order: Order, *rest: Any) -> Reminder:
        if order.line.title == "Thuốc 1":
            raise OverflowError
        return real(before, order, *rest)

    monkeypatch.setattr(following, "ordered", broken)
    sent = [request(number, when=["MORN"], boundsPeriod=COURSE) for number in (1, 2)]
    await write(here.store, here.citizen.patient_id, sent, here.clock.now())
    await look(here)
    assert [one["title"] for one in await medicines(here)] == ["Thuốc 2"]


@pytest.mark.parametrize(
    ("category", "setting", "is_home"),
    [
        (None, "AMB", True),
        (None, "IMP", False),
        (None, "EMER", False),
        (None, None, False),
        ("discharge", "IMP", True),
        ("inpatient", "AMB", False),
        ("community", None, True),
    ],
)
def test_what_is_taken_at_home(category: str | None, setting: str | None, is_home: bool) -> None:
    doc = {"category": [{"coding": [{"code": category}]}]} if category else {}
    assert is_taken_home(doc, "encounter", setting) is is_home
    assert is_taken_home({}, None, None)
