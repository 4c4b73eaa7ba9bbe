"""What an administrator keeps of the house on pages: departments, connected systems, figures, roles; and who
comes for a vaccine."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from api.pages.facility.figures import month_before
from kernel.clock import local_day
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import client_of
from tests.support.kiosks import Place, make_place
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, make_doctor, make_machine, new_number, sign_in_again
from tests.support.registering import answers, make_campaign, make_site, registered

REASON = "sắp xếp lại khoa phòng"


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


@pytest.fixture
async def second(client: httpx.AsyncClient, store: Store, clock: FrozenClock, place: Place) -> Browser:
    made = await make_doctor(store, clock, place.facility, "facility-admin")
    return Browser(client, "staff", made.token)


def actions(page: Page) -> list[str]:
    return [one.get("action") for one in page.tree.iter("form")]


async def test_a_department_is_opened_described_anew_and_closed(admin: Browser) -> None:
    path = "/facility/departments"
    empty = await admin.get(path)
    assert "Cơ sở chưa khai khoa, phòng nào" in empty.text
    refused = await admin.submit(empty, path, name=HOSTILE_TEXTS[0], reason="vì")
    assert refused.status == 400
    assert refused.form(path)["name"] == HOSTILE_TEXTS[0]
    tells = await admin.submit(
        empty, path, name="Khoa Tâm thần", is_sensitive="yes", discreet_name="Khoa Tâm thần", reason=REASON
    )
    assert tells.status >= 400
    assert tells.form(path)["is_sensitive"] == "yes"
    page = await admin.submit(
        empty,
        path,
        name="Khoa Tâm thần",
        is_sensitive="yes",
        discreet_name="Phòng khám số 4",
        specialty="internal-medicine",
        reason=REASON,
    )
    assert "Đã thêm khoa" in page.text
    assert "Nhạy cảm" in page.text
    assert "Nội khoa" in page.text
    own = next(one for one in actions(page) if one.startswith(f"{path}/") and not one.endswith("/close"))
    assert page.form(own)["discreet_name"] == "Phòng khám số 4"
    wrong = await admin.submit(page, own, name="Khoa Tinh thần", reason="vì")
    assert wrong.form(own)["name"] == "Khoa Tinh thần"
    changed = await admin.submit(page, own, name="Khoa Sức khỏe tinh thần", reason=REASON)
    assert "Khoa Sức khỏe tinh thần" in changed.text
    closed = await admin.submit(changed, f"{own}/close", reason=REASON)
    assert "Đã đóng khoa" in closed.text
    assert "Cơ sở chưa khai khoa, phòng nào" in closed.text


async def test_a_system_is_proposed_gets_a_secret_once_and_is_turned_off(
    admin: Browser, second: Browser
) -> None:
    path = "/facility/systems"
    empty = await admin.get(path)
    assert "Chưa có phần mềm nào kết nối" in empty.text
    refused = await admin.submit(empty, path, name="<b>Xét nghiệm</b>", reason="vì")
    assert refused.status == 400
    assert refused.form(path)["name"] == "<b>Xét nghiệm</b>"
    proposed = await admin.submit(refused, path, reason="phần mềm mới của khoa")
    assert "Đã gửi đề nghị" in proposed.text
    assert "1 đề nghị đang chờ người thứ hai" in proposed.text
    waiting = await second.get("/facility/staff")
    confirm = next(one for one in actions(waiting) if one.startswith("/facility/staff/changes/"))
    shown = await second.submit(waiting, confirm)
    assert "Khóa chỉ hiện một lần này" in shown.text
    secret = shown.tree.xpath("//dd")[-1].text_content().strip()
    listed = await admin.get(path)
    assert secret not in listed.response.text
    assert "<b>Xét" not in listed.response.text
    renew = next(one for one in actions(listed) if one.endswith("/secret"))
    assert "Đã gửi đề nghị" in (await admin.submit(listed, renew, reason="khóa cũ bị lộ")).text
    end = renew.removesuffix("/secret") + "/end"
    short = await admin.submit(listed, end, reason="vì")
    assert short.status == 400
    assert short.tree.xpath("//details[@open]")
    ended = await admin.submit(listed, end, reason="khóa bị lộ")
    assert "Đã ngừng phần mềm" in ended.text
    assert end not in actions(ended)


async def test_a_system_of_another_house_is_not_turned_off(
    client: httpx.AsyncClient, admin: Browser, store: Store, clock: FrozenClock
) -> None:
    elsewhere = await make_place(store, clock)
    machine = await make_machine(store, clock, elsewhere.facility)
    path = f"/facility/systems/{machine.client_id}/end"
    page = await admin.get("/facility/systems")
    fields = {**page.form("/facility/systems"), "reason": "không phải của tôi"}
    assert (await admin.post(path, fields)).status == 404
    theirs = await Browser(client, "staff", elsewhere.admin.token).get("/facility/systems")
    assert path in actions(theirs)


async def test_figures_are_of_this_house_and_say_where_there_are_none(
    client: httpx.AsyncClient, admin: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    page = await admin.get("/facility/figures")
    for words in (
        "Tháng này chưa có dữ liệu nào gửi lên",
        "Tháng này chưa tìm người bệnh lần nào",
        "Không có số nào như vậy",
    ):
        assert words in page.text
    clerk = await make_doctor(store, clock, place.facility, "clerk")
    desk = Browser(client, "staff", clerk.token)
    look = await desk.get("/facility/look-ups")
    await desk.submit(look, "/facility/look-ups", kind="national-id", value=new_number())
    assert "Không ai có số đó" in (await admin.get("/facility/figures")).text
    month = month_before(local_day(clock.now())).strftime("%Y-%m")
    address = f"/facility/figures/{month}/accountability"
    assert address in page.links()
    file = await admin.get(address)
    # A month is counted by the worker; before that the page says so, and how to go on.
    assert file.status == 404
    assert file.tree.xpath('//*[@role="alert"]')
    assert (await admin.get("/facility/figures/thang-nay/accountability")).status == 400


async def test_somebody_who_works_here_gets_one_more_role_and_a_department(
    client: httpx.AsyncClient, admin: Browser, second: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    await make_doctor(store, clock, place.facility, "nurse", name="Đinh Thị Điều Dưỡng")
    departments = await admin.get("/facility/departments")
    await admin.submit(departments, "/facility/departments", name="Khoa Nhi", reason=REASON)
    path = "/facility/staff"
    page = await admin.get(path)
    who = page.tree.xpath('//select[@id="practitioner_id"]/option[contains(., "Đinh")]/@value')[0]
    refused = await admin.submit(page, f"{path}/roles", practitioner_id=who, role="clerk", reason="vì")
    assert refused.status == 400
    kept = refused.form(f"{path}/roles")
    assert (kept["practitioner_id"], kept["role"], kept["reason"]) == (who, "clerk", "vì")
    proposed = await admin.submit(refused, f"{path}/roles", reason="kiêm việc tiếp đón")
    assert "Đã gửi đề nghị" in proposed.text
    role = page.tree.xpath('//select[@id="role-unit"]/option[contains(., "Đinh")]/@value')[0]
    unit = page.tree.xpath('//select[@id="unit_id"]/option[contains(., "Khoa Nhi")]/@value')[0]
    moved = await admin.submit(
        proposed, f"{path}/roles/unit", practitioner_role_id=role, unit_id=unit, reason="về khoa Nhi"
    )
    assert "Đã gửi đề nghị" in moved.text
    for _ in range(2):
        waiting = await second.get(path)
        confirm = next(one for one in actions(waiting) if one.startswith(f"{path}/changes/"))
        assert "Đã xác nhận" in (await second.submit(waiting, confirm)).text
    rows = (await admin.get(path)).tree.xpath('//tr[contains(., "Đinh")]')
    said = [" ".join(one.text_content().split()) for one in rows]
    assert len(said) == 2
    assert any("Nhân viên tiếp đón" in one for one in said)
    assert any("Khoa Nhi" in one for one in said)


async def test_a_role_that_is_refused_keeps_whom_it_was_for(
    admin: Browser, client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    elsewhere = await make_place(store, clock)
    doctor = await make_doctor(store, clock, elsewhere.facility, "doctor", name="Bùi Văn Mới")
    me = (await client.get("/v1/doctor/me", headers={"authorization": f"Bearer {doctor.token}"})).json()
    path = "/facility/staff"
    found = await admin.submit(await admin.get(path), f"{path}/licence", licence=me["licence"])
    refused = await admin.submit(found, f"{path}/roles", role="nurse", reason="vì")
    assert refused.status == 400
    kept = refused.form(f"{path}/roles")
    assert kept["practitioner_id"] == found.form(f"{path}/roles")["practitioner_id"]
    assert (kept["name"], kept["role"], kept["reason"]) == ("Bùi Văn Mới", "nurse", "vì")


async def test_the_list_of_a_day_says_who_is_registered_and_what_they_answered(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    site = await make_site(store, clock)
    who = await make_citizen(store, clock, name="Hồ Thị <b>Tiêm</b>")
    campaign = await make_campaign(client, clock, site, 2)
    told = answers(severe_reaction_before="yes")
    made = await registered(client, who, campaign, answers=told)
    nurse = Browser(client, "staff", site.nurse.token)
    assert "Ngày này chưa có ai đăng ký tiêm" in (await nurse.get("/facility/vaccination")).text
    day = (clock.now() + timedelta(days=3)).date().isoformat()
    page = await nurse.get(f"/facility/vaccination/{day}")
    assert "Hồ Thị <b>Tiêm</b>" in page.text
    assert "<b>Tiêm" not in page.response.text
    one = f"/facility/vaccination/registrations/{made['registration_id']}"
    assert one in page.links()
    early = await nurse.get(one)
    assert "Ghi người đến từ ngày hẹn trở đi" in early.text
    assert one not in actions(early)
    assert "Không thay khám sàng lọc" in early.text
    assert early.tree.xpath('//dl//dd[normalize-space()="Có"]')
    assert (await nurse.post(one, {"outcome": "attended"})).status == 403
    clock.advance(days=3)
    nurse = Browser(client, "staff", await sign_in_again(store, clock, site.nurse))
    page = await nurse.get(one)
    came = await nurse.submit(page, one, outcome="attended")
    assert "Đã ghi: người bệnh đã đến" in came.text
    assert "Đã đến" in came.text
    wrong = await nurse.submit(came, one, outcome="không rõ")
    assert wrong.status == 400
    assert "Hồ Thị" in wrong.text


async def test_an_administrator_sees_no_registration_and_a_clerk_has_no_such_part(
    client: httpx.AsyncClient, admin: Browser, place: Place, store: Store, clock: FrozenClock
) -> None:
    page = await admin.get("/facility/vaccination")
    assert "Người quản trị không xem danh sách đăng ký tiêm" in page.text
    assert "Không có mũi tiêm nào cần xác nhận" in page.text
    clerk = Browser(client, "staff", (await make_doctor(store, clock, place.facility, "clerk")).token)
    assert "/facility/vaccination" not in (await clerk.get("/facility")).links()
    assert (await clerk.get("/facility/vaccination")).status == 403
    vaccinator = await make_doctor(store, clock, place.facility, "vaccinator")
    theirs = await Browser(client, "staff", vaccinator.token).get("/facility")
    assert "/facility/vaccination" in theirs.links()


async def test_a_form_of_another_page_changes_nothing_of_the_house(admin: Browser, place: Place) -> None:
    ident = place.counter.counter_id
    for path in (
        "departments",
        f"departments/{ident}",
        f"departments/{ident}/close",
        "systems",
        f"systems/{ident}/secret",
        f"systems/{ident}/end",
        "figures",
        "staff/roles",
        "staff/roles/unit",
        f"vaccination/confirmations/{ident}",
        "vaccination/2030-05-06",
    ):
        stale = await admin.post(f"/facility/{path}", {"reason": "không của tôi", "form": "x"})
        assert (stale.status, bool(stale.tree.xpath('//*[@role="alert"]'))) == (403, True), path


async def test_the_houses_pages_are_there_in_english(admin: Browser) -> None:
    await admin.post("/display", {"language": "en", "back": "/facility"})
    for name in ("departments", "systems", "figures", "vaccination", "staff"):
        page = await admin.get(f"/facility/{name}")
        assert (page.status, page.tree.get("lang")) == (200, "en"), name
        said = page.tree.xpath("//main")[0].text_content().lower()
        assert not [word for word in ("chưa", "khoa ", "đề nghị", "lý do") if word in said], name
