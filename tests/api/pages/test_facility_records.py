"""The staff's pages behind the counter: kiosks, appointments, corrections, the quarantine, roles."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.pages.facility.cases import deadline_of
from store.database import Store
from tests.ehr.intake.records import allergy, send
from tests.ehr.quarantine.test_units import conflicting
from tests.support.booking import booked, make_clinic, make_schedule
from tests.support.cases import make_place as make_case_place
from tests.support.cases import open_case
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import client_of
from tests.support.kiosks import Place, make_place
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, make_doctor, make_facility


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def place(store: Store, clock: FrozenClock) -> Place:
    return await make_place(store, clock)


@pytest.fixture
def admin(client: httpx.AsyncClient, place: Place) -> Browser:
    return Browser(client, "staff", place.admin.token)


def actions(page: Page) -> list[str]:
    return [one.get("action") for one in page.tree.iter("form")]


async def test_a_kiosk_gets_a_code_that_is_shown_once_and_is_ended(admin: Browser, place: Place) -> None:
    path = "/facility/kiosks"
    empty = await admin.get(path)
    assert "Cơ sở chưa có ki-ốt nào" in empty.text
    counter = str(place.counter.counter_id)
    fields = {"counter_id": counter, "reason": "ki-ốt ở sảnh"}
    refused = await admin.submit(empty, path, name="<i>Sảnh</i>", counter_id=counter, reason="ngắn")
    assert refused.status >= 400
    assert "<i>Sảnh" not in refused.response.text
    made = await admin.submit(refused, path, name="<i>Sảnh</i>", counter_id=counter, reason=fields["reason"])
    code = made.tree.xpath('//p[contains(@class, "code--big")]')[0].text_content()
    listed = await admin.get(path)
    assert code not in listed.text
    assert "Chờ lắp đặt" in listed.text
    again = next(one for one in actions(listed) if one.endswith("/code"))
    other = await admin.submit(listed, again, reason="máy khác rồi")
    assert other.tree.xpath('//p[contains(@class, "code--big")]')[0].text_content() != code
    ended = await admin.submit(listed, again.removesuffix("/code") + "/end", reason="không dùng nữa")
    assert "Đã ngừng ki-ốt" in ended.text
    assert "Cơ sở chưa có ki-ốt nào" in ended.text


async def test_the_list_of_a_day_says_who_came(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    clinic = await make_clinic(store, clock)
    citizen = await make_citizen(store, clock, name="Hồ Thị <b>Hẹn</b>")
    plan = await make_schedule(client, clock, clinic, 2)
    made = await booked(client, citizen, plan)
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    clerk = Browser(client, "staff", clinic.clerk.token)
    assert "Ngày này chưa có ai hẹn" in (await clerk.get("/facility/appointments")).text
    ahead = await clerk.get(f"/facility/appointments/{day}")
    assert "Hồ Thị <b>Hẹn</b>" in ahead.text
    assert "<b>Hẹn" not in ahead.response.text
    act = f"/facility/appointments/{day}/{made['appointment_id']}"
    # What has not begun can only be called off.
    early = await clerk.submit(ahead, act, outcome="attended")
    assert early.status >= 400
    planner = await Browser(client, "staff", clinic.planner.token).get("/facility/appointments")
    assert planner.status == 200
    assert "Khám theo hẹn" in planner.text
    slots = await clerk.get(f"/facility/schedules/{plan['schedule_id']}")
    assert [one.text for one in slots.tree.xpath("//td")][:3] == ["2", "1", "0"]
    done = await clerk.submit(ahead, act, outcome="called-off")
    assert "Đã hủy lịch hẹn" in done.text
    assert "Ngày này chưa có ai hẹn" in done.text
    assert citizen.name not in done.response.headers.get("location", "")
    assert (await clerk.post(act, {"outcome": "attended"})).status == 403
    wrong = await clerk.get("/facility/appointments/hom-qua")
    assert wrong.status == 400


async def test_a_correction_is_received_answered_and_resolved(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    place = await make_case_place(store, clock)
    staff = Browser(client, "staff", place.staff.token)
    assert "Không có đề nghị nào đang chờ" in (await staff.get("/facility/cases")).text
    case = await open_case(
        store,
        place,
        "missing-visit",
        clock.now(),
        text=HOSTILE_TEXTS[8],
        facility_id=place.facility.facility_id,
        visit_on=clock.now().date(),
    )
    listed = await staff.get("/facility/cases")
    assert "Thiếu một lần khám" in listed.text
    assert "Nhận trong" in listed.text
    assert place.citizen.name not in listed.text
    path = f"/facility/cases/{case.case_id}"
    page = await staff.get(path)
    assert HOSTILE_TEXTS[8] in page.text
    assert "<script>alert" not in page.response.text
    taken = await staff.post(path, {**page.form(path), "act": "acknowledge"})
    assert "Đã báo cho người bệnh là cơ sở đã nhận" in taken.text
    assert "Trả lời trong" in taken.text
    replied = await staff.post(path, {**taken.form(path), "act": "reply", "text": "Chúng tôi đang tìm."})
    assert "Đã gửi lời nhắn" in replied.text
    assert "Chúng tôi đang tìm." in replied.text
    empty = await staff.post(path, {**taken.form(path), "act": "refuse", "text": ""})
    assert empty.status >= 400
    refused = await staff.post(
        path, {**replied.form(path), "act": "refuse", "text": "Không có lần khám này."}
    )
    assert "Đã từ chối" in refused.text
    assert (await staff.post(path, {"act": "acknowledge"})).status == 403
    stranger = await make_doctor(store, clock, await make_facility(store, clock), "facility-admin")
    assert (await Browser(client, "staff", stranger.token).get(path)).status == 404
    everything = await staff.post("/facility/cases", {**listed.form("/facility/cases"), "which": "all"})
    assert "Thiếu một lần khám" in everything.text


def test_a_deadline_is_said_in_words(clock: FrozenClock) -> None:
    now = clock.now()

    def case(state: str, days: int, *, overdue: bool = False) -> dict[str, object]:
        ends = (now + timedelta(days=days)).isoformat()
        return {"state": state, "acknowledge_by": ends, "answer_by": ends, "overdue": overdue}

    assert deadline_of(case("open", 2), now) == ("Nhận trong 2 ngày", "Receive it within 2 days")
    assert deadline_of(case("acknowledged", 1), now) == ("Trả lời trong hôm nay", "Answer it today")
    assert deadline_of(case("open", -1), now) == ("Nhận: đã quá hạn", "Receive it: late")
    assert deadline_of(case("corrected", 3), now) is None


async def test_two_officers_place_a_record_and_its_sender_sees_what_came_back(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    sender, citizen = await make_facility(store, clock), await make_citizen(store, clock)
    for ident in ("b1", "b2"):
        await send(store, clock, sender, conflicting(citizen, allergy("Latex", ident)), ident)
    homes = [await make_facility(store, clock) for _ in range(2)]
    made = [await make_doctor(store, clock, home, "registry-officer") for home in homes]
    first, second = (Browser(client, "staff", one.token) for one in made)
    path = "/facility/quarantine"
    listed = await first.get(path)
    assert sender.name in listed.text
    assert citizen.name not in listed.text
    assert "Vị trí trong gói gửicả gói" in listed.text
    assert "gửibody" not in listed.text
    own = [one for one in actions(listed) if one.startswith(path + "/")][-2:]
    assert (await first.submit(listed, own[0], reason="vì")).status >= 400
    compared = await first.submit(listed, own[0], reason="đối chiếu giấy tờ")
    assert citizen.name in compared.text
    place = f"{own[0]}/resolution"
    assert "Chờ cán bộ thứ hai" not in listed.text
    proposed = await first.submit(compared, place)
    assert "Một cán bộ của cơ sở khác cần đồng ý" in proposed.text
    assert "Chờ cán bộ thứ hai" in proposed.text
    theirs = await second.submit(await second.get(path), own[0], reason="đối chiếu giấy tờ")
    assert "Đã ghi quyết định" in (await second.submit(theirs, place)).text
    other = await first.submit(await first.get(path), own[1], reason="đối chiếu giấy tờ")
    returned = await first.submit(other, f"{own[1]}/return", code="birth-date-wrong")
    assert "Đã trả về cơ sở gửi" in returned.text
    admin = await make_doctor(store, clock, sender, "facility-admin")
    back = await Browser(client, "staff", admin.token).get(path)
    assert "Ngày sinh sai" in back.text
    assert citizen.name not in back.text
    nothing = await make_doctor(store, clock, homes[0], "facility-admin")
    assert "Chưa có hồ sơ nào bị trả lại" in (await Browser(client, "staff", nothing.token).get(path)).text


async def test_a_role_is_proposed_by_one_and_confirmed_by_another(
    client: httpx.AsyncClient, admin: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    elsewhere = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, elsewhere, "doctor", name="Bùi Văn Mới")
    licence = (await client.get("/v1/doctor/me", headers={"authorization": f"Bearer {doctor.token}"})).json()
    path = "/facility/staff"
    unknown = await admin.submit(await admin.get(path), f"{path}/licence", licence="không có")
    assert unknown.status >= 400
    found = await admin.submit(unknown, f"{path}/licence", licence=licence["licence"])
    assert "Bùi Văn Mới" in found.text
    proposed = await admin.submit(found, f"{path}/roles", role="doctor", reason="nhận việc ở đây")
    assert "Đã gửi đề nghị" in proposed.text
    assert "Bạn đề nghị việc này" in proposed.text
    colleague = await make_doctor(store, clock, place.facility, "facility-admin")
    second = Browser(client, "staff", colleague.token)
    waiting = await second.get(path)
    confirm = next(one for one in actions(waiting) if one.startswith(f"{path}/changes/"))
    assert (await admin.post(confirm, waiting.form(confirm))).status == 403
    confirmed = await second.submit(waiting, confirm)
    assert "Đã xác nhận" in confirmed.text
    assert "Bùi Văn Mới" in confirmed.text
    role = confirmed.tree.xpath('//select[@name="practitioner_role_id"]/option[contains(., "Bùi")]/@value')[0]
    ended = await second.submit(
        confirmed, f"{path}/roles/end", practitioner_role_id=role, reason="nghỉ việc rồi"
    )
    assert "Đã gửi đề nghị" in ended.text


async def test_these_pages_are_there_in_english(admin: Browser) -> None:
    await admin.post("/display", {"language": "en", "back": "/facility"})
    for name in ("appointments", "cases", "kiosks", "quarantine", "staff"):
        page = await admin.get(f"/facility/{name}")
        assert page.status == 200, name
        assert page.tree.get("lang") == "en"
        assert "chưa" not in page.tree.xpath("//main")[0].text_content().lower(), name
