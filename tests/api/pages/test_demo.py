"""The pages of a demo, over a sheet of the test's own."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace

from api.pages.demo_people import DemoKiosk, DemoOwner, DemoPeople, DemoWorker
from api.pages.demo_tour_view import STEPS, is_new, newest_browser, steps_done, was_told_today
from identity.practitioners import totp_at
from notifications.recorded import RecordedMessage
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility

WORKER = DemoWorker(
    name="Trần Hoài Nam",
    role="doctor",
    username="bs.nam",
    password="not-a-secret",
    code="123456",
    next_code="234567",
    facility="Bệnh viện <b>Ví Dụ</b>",
)
KIOSK = DemoKiosk(client_id=str(uuid4()), client_secret="kiosk-secret", facility="Bệnh viện Ví Dụ")
PHONE = str(uuid4())


class Desk:
    """A sheet with one of each, and a phone that says what it is told to."""

    def __init__(self, citizen: Citizen) -> None:
        self.owner = owner_of(citizen)
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.trusted: list[str] = []
        self.allowed: list[tuple[str, str]] = []
        self.has_sheet = True
        self.worker = WORKER
        self.code: dict[str, str] | None = {"qr": "SSK1:A B"}

    def people(self, now: datetime) -> DemoPeople | None:
        if not self.has_sheet:
            return None
        changes_at = now + timedelta(seconds=12)
        return DemoPeople(owners=[self.owner], workers=[self.worker], kiosks=[KIOSK], changes_at=changes_at)

    async def ask(self, key: str, path: str) -> Any | None:
        assert key == "hung"
        if path == "/v1/me/identification-qr":
            return self.code
        found = self.lists.get(path.rpartition("/")[2])
        return None if found is None else {"items": found}

    async def trust(self, key: str, device_id: str) -> bool:
        assert key == "hung"
        self.trusted.append(device_id)
        return True

    async def allow(self, key: str, request_id: str, digits: str) -> bool:
        assert key == "hung"
        self.allowed.append((request_id, digits))
        return digits == "012345"


def owner_of(citizen: Citizen) -> DemoOwner:
    return DemoOwner(
        key="hung",
        patient_id=str(citizen.patient_id),
        device_id=PHONE,
        name="Nguyễn Văn Hùng",
        number=citizen.number,
        phone=citizen.phone_number,
        pin="284193",
        says=("Đái tháo đường", "Diabetes"),
    )


@pytest.fixture
async def desk(store: Store, clock: FrozenClock) -> Desk:
    return Desk(await make_citizen(store, clock, name="Nguyễn Văn Hùng"))


@pytest.fixture
async def client(store: Store, clock: FrozenClock, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, demo=True, allowed_hosts=["localhost"], demo_desk=desk) as opened:
        yield opened


def device(
    device_id: str, enrolled_at: datetime, until: datetime, credential: str | None = "key"
) -> dict[str, Any]:
    return {
        "device_id": device_id,
        "enrolled_at": enrolled_at.isoformat(),
        "probation_until": until.isoformat(),
        "credential_id": credential,
    }


def done_on(page: Page) -> list[str]:
    return [" ".join(one.text_content().split()) for one in page.tree.findall(".//li[@class='done']/h2")]


async def test_everybody_with_what_they_sign_in_with(client: httpx.AsyncClient, desk: Desk) -> None:
    page = await Browser(client).get("/demo/accounts")
    for said in (desk.owner.number, "284193", "bs.nam", "not-a-secret", "123456", "Bác sĩ", "Mã đổi lúc"):
        assert said in page.text
    assert page.tree.find(".//b") is None
    assert "kiosk-secret" not in page.response.text


async def test_the_walk_marks_what_the_service_knows(
    client: httpx.AsyncClient, desk: Desk, clock: FrozenClock
) -> None:
    browser = Browser(client)
    assert done_on(await browser.get("/demo")) == []
    now = clock.now()
    desk.lists["devices"] = [
        device(PHONE, now, now),
        device("new", now + timedelta(seconds=1), now + timedelta(hours=72)),
    ]
    page = await browser.get("/demo")
    assert done_on(page) == ["Mở sổ của ông Hùng Đã xong"]
    assert (await browser.submit(page, "/demo/trust", follow=False)).response.headers["location"] == "/demo"
    assert desk.trusted == ["new"]


async def test_the_stand_in_answers_for_nothing_that_does_not_wait(
    client: httpx.AsyncClient, desk: Desk, clock: FrozenClock
) -> None:
    browser = Browser(client)
    desk.lists["devices"] = [device("old", clock.now(), clock.now())]
    page = await browser.submit(await browser.get("/demo"), "/demo/trust")
    assert "Không có trình duyệt mới nào đang chờ" in page.text
    assert desk.trusted == []


async def test_who_has_no_key_is_told_what_is_closed_and_the_way_that_opens_it(
    client: httpx.AsyncClient, desk: Desk, clock: FrozenClock
) -> None:
    browser, now = Browser(client), clock.now()
    desk.lists["devices"] = [device("bare", now, now + timedelta(hours=12))]
    assert "không có khóa, nên các trang này bị từ chối" not in (await browser.get("/demo")).text
    desk.lists["devices"] = [device("bare", now, now + timedelta(hours=12), credential=None)]
    page = await browser.get("/demo")
    assert page.text.count("không có khóa, nên các trang này bị từ chối") == 3
    assert page.text.count(desk.owner.number) == 3
    pressed = await browser.submit(page, "/demo/trust")
    assert "không có gì để xác nhận" in pressed.text
    assert desk.trusted == []
    desk.lists["devices"] = [device("bare", now, now, credential=None)]
    assert done_on(await browser.get("/demo")) == ["Mở sổ của ông Hùng Đã xong"]


async def test_the_accounts_let_each_persons_newest_browser_in(
    client: httpx.AsyncClient, desk: Desk, clock: FrozenClock
) -> None:
    browser, now = Browser(client), clock.now()
    page = await browser.get("/demo/accounts")
    assert "không có trình duyệt nào có khóa đang chờ" in (await browser.submit(page, "/demo/trust")).text
    desk.lists["devices"] = [device("new", now, now + timedelta(hours=72))]
    answered = await browser.submit(page, "/demo/trust")
    assert "đã tin trình duyệt mới nhất" in answered.text
    assert "Tài khoản dùng thử" in answered.text
    assert desk.trusted == ["new"]
    assert (await browser.submit(page, "/demo/trust", key="nobody")).status == 404


async def test_the_stand_in_agrees_to_the_newest_request_by_its_digits(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    browser = Browser(client)
    page = await browser.get("/demo")
    assert "Chưa đồng ý được" in (await browser.submit(page, "/demo/allow", digits="012345")).text
    assert desk.allowed == []
    desk.lists["access-requests"] = [{"request_id": "01a2"}, {"request_id": "01a9"}, {"request_id": "01a4"}]
    assert "Chưa đồng ý được" in (await browser.submit(page, "/demo/allow", digits="999999")).text
    done = await browser.submit(page, "/demo/allow", digits="012 345", follow=False)
    assert done.response.headers["location"] == "/demo"
    assert desk.allowed[-1] == ("01a9", "012345")


async def test_who_has_a_book_open_is_led_there(client: httpx.AsyncClient, desk: Desk) -> None:
    browser = Browser(client)
    assert "sang trang Hôm nay" not in (await browser.get("/demo")).text
    browser.cookies["citizen"] = "a-session"
    assert "sang trang Hôm nay" in (await browser.get("/demo")).text


async def test_the_stand_in_shows_who_its_person_is(client: httpx.AsyncClient, desk: Desk) -> None:
    browser = Browser(client)
    page = await browser.submit(await browser.get("/demo"), "/demo/code")
    assert page.tree.find(".//textarea").text == "SSK1:A B"
    desk.code = None
    assert "Điện thoại chưa trả lời" in (await browser.submit(page, "/demo/code")).text


async def test_a_book_is_opened_at_its_own_door(client: httpx.AsyncClient, desk: Desk) -> None:
    browser = Browser(client)
    page = await browser.submit(await browser.get("/demo"), "/demo/book")
    assert page.form("/sign-in/code")["who"] == desk.owner.number
    assert page.form("/sign-in/code")["challenge"]
    assert "citizen" not in browser.cookies
    page = await browser.submit(await browser.get("/demo"), "/demo/book", key="nobody")
    assert page.status == 404


async def test_these_forms_outlive_a_sign_in_beside_them(client: httpx.AsyncClient, desk: Desk) -> None:
    browser = Browser(client)
    page = await browser.get("/demo")
    browser.cookies["citizen"] = "another-session"
    browser.cookies.pop("visit", None)
    assert (await browser.submit(page, "/demo/book")).form("/sign-in/code")


async def test_staff_meet_the_door_of_the_contract(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    page = await browser.submit(await browser.get("/demo/accounts"), "/demo/desk")
    assert page.status == 401
    assert page.form("/doctor/sign-in")["username"] == "bs.nam"
    assert "staff" not in browser.cookies


async def test_who_presses_twice_in_one_half_minute_comes_in_twice(
    client: httpx.AsyncClient, desk: Desk, store: Store, clock: FrozenClock
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    codes = [totp_at(doctor.totp_secret, clock.now() + timedelta(seconds=late)) for late in (0, 30)]
    desk.worker = replace(
        WORKER, username=doctor.username, password=doctor.password, code=codes[0], next_code=codes[1]
    )
    for _ in range(2):
        browser = Browser(client)
        pressed = await browser.submit(await browser.get("/demo/accounts"), "/demo/desk", follow=False)
        assert pressed.response.headers["location"] == "/doctor"
        assert browser.cookies["staff"]


async def test_a_kiosk_keeps_its_key_in_a_cookie_alone(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    page = await browser.submit(await browser.get("/demo/accounts"), "/demo/kiosk", follow=False)
    assert page.response.headers["location"] == "/kiosk/set-up"
    assert browser.cookies["kiosk-key"] == f"{KIOSK.client_id}.{KIOSK.client_secret}"


@pytest.mark.parametrize(
    "path", ["/demo/trust", "/demo/code", "/demo/allow", "/demo/book", "/demo/desk", "/demo/kiosk"]
)
async def test_no_other_site_presses_these_buttons(client: httpx.AsyncClient, path: str) -> None:
    browser = Browser(client)
    assert (await browser.post(path, {"key": "hung"})).status == 403
    await browser.get("/demo")
    assert (await browser.post(path, {"key": "hung", "page_secret": "x"})).status == 403
    assert (await browser.get(path, follow=False)).response.headers["location"] == "/demo"


async def test_without_a_sheet_there_is_an_inbox_alone(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.has_sheet = False
    assert (await Browser(client).get("/demo")).status == 404
    assert (await Browser(client).get("/demo/accounts")).status == 404
    assert (await Browser(client).get("/demo/inbox")).status == 200


async def test_in_english(client: httpx.AsyncClient) -> None:
    browser = Browser(client)
    browser.cookies["display"] = "en.normal.auto"
    assert "Try it in a few minutes" in (await browser.get("/demo")).text
    assert "Diabetes" in (await browser.get("/demo/accounts")).text


def known(**lists: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {"devices": [], "requests": [], "grants": [], **lists}


def test_steps_belong_to_the_round_of_the_newest_browser() -> None:
    owner = DemoOwner(
        key="hung",
        patient_id=str(uuid4()),
        device_id=PHONE,
        name="",
        number="",
        phone="",
        pin="",
        says=("", ""),
    )
    hour = timedelta(hours=1)
    own, first = device(PHONE, START, START), device("one", START + hour, START + 2 * hour)
    second = device("two", START + 3 * hour, START + 75 * hour)
    earlier = {"created_at": (START + 2 * hour).isoformat(), "ended_at": None}
    later = {"created_at": (START + 4 * hour).isoformat(), "ended_at": (START + 5 * hour).isoformat()}
    now = START + 6 * hour
    assert newest_browser(known(devices=[own]), owner) is None
    assert steps_done(known(devices=[own], grants=[later]), [], owner, now) == dict.fromkeys(STEPS, False)
    found = known(devices=[own, second, first], grants=[earlier])
    assert newest_browser(found, owner) == second
    assert is_new(second, now)
    assert not is_new(first, now)
    assert [step for step, is_done in steps_done(found, [], owner, now).items() if is_done] == ["sign-in"]
    told = message(owner.patient_id, START + 5 * hour)
    done = steps_done(known(devices=[own, first], grants=[earlier, later]), [told], owner, now)
    assert done == dict.fromkeys(STEPS, True)
    assert not steps_done(known(devices=[own, second]), [message(str(uuid4()), now)], owner, now)["look"]


def test_a_day_has_one_message_about_a_look() -> None:
    owner = DemoOwner(
        key="hung",
        patient_id=str(uuid4()),
        device_id=PHONE,
        name="",
        number="",
        phone="",
        pin="",
        says=("", ""),
    )
    told = [message(owner.patient_id, START)]
    assert was_told_today(told, owner, START)
    assert not was_told_today(told, owner, START + timedelta(days=1))
    assert not was_told_today([message(str(uuid4()), START)], owner, START)


def message(patient_id: str, at: datetime) -> RecordedMessage:
    return RecordedMessage(
        delivery_id=uuid4(),
        patient_id=UUID(patient_id),
        notification_id=uuid4(),
        channel="push",
        type="record-read",
        title="",
        status="sent",
        created_at=at,
        expires_at=at,
        is_live=False,
    )
