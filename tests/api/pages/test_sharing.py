"""Who may read, on the citizen's pages: grants, links, codes, apps, blocks, each with its end."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kernel.access import Access
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted, read
from tests.support.family import make_child
from tests.support.hostile import HOSTILE_TEXTS
from tests.support.http import bearer, client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.sharing import RECIPIENT, Link

NAME = "Bùi Quang Ứng"
CHOSEN = {"what": "all", "duration": "3600"}


@pytest.fixture
async def client(store: Store, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def doctor(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), name=NAME)


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


@pytest.fixture
def browser(client: httpx.AsyncClient, citizen: Citizen) -> Browser:
    """Without a key: it reads and ends."""
    return Browser(client, "citizen", citizen.token)


@pytest.fixture
async def keyed(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> KeyedBrowser:
    return await keyed_browser(store, clock, client, citizen)


async def test_nothing_is_shared_yet(browser: Browser) -> None:
    page = await browser.get("/me/sharing")
    for words in ("không ai được bạn cho xem", "không có liên kết", "Không có ứng dụng", "không chặn ai"):
        assert words in page.text
    assert "Chưa có lần nào kết thúc" in (await browser.get("/me/sharing/past")).text
    assert "không ai ngoài bạn" in (await browser.get("/me/who-can-see-me")).text


async def test_a_grant_ends_by_one_button_without_script_or_key(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)
    page = await browser.get("/me/sharing")
    assert NAME in page.text
    assert "Đang xem được" in page.text
    assert NAME not in page.tree.findtext(".//title")
    after = await browser.submit(page, f"/me/sharing/grants/{grant.grant_id}/end")
    assert NAME not in after.text
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"
    past = await browser.get("/me/sharing/past")
    assert NAME in past.text
    assert "Bạn đã dừng" in past.text
    one = await browser.get(f"/me/sharing/grants/{grant.grant_id}")
    assert not [
        form for form in one.tree.iter("form") if form.get("action", "").endswith(("/end", "/narrow"))
    ]
    again = await browser.submit(page, f"/me/sharing/grants/{grant.grant_id}/end")
    assert again.status == 200


async def test_a_grant_is_narrowed(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    grant = await granted(store, clock, doctor, citizen, duration_seconds=7 * 86400)
    page = await browser.get(f"/me/sharing/grants/{grant.grant_id}")
    action = f"/me/sharing/grants/{grant.grant_id}/narrow"
    fields = page.form(action)
    assert page.tree.xpath("//main//*[@checked]") == []
    narrowed = await browser.post(action, fields | {"type.Condition": "1", "ends": "1"})
    assert narrowed.status == 200, narrowed.text
    assert "Dị ứng, Đơn thuốc" in narrowed.text.partition("Được xem")[2]
    opened = await read(store, clock, doctor, citizen.patient_id)
    assert isinstance(opened, Access)
    assert "Condition" not in opened.types
    clock.advance(minutes=9)
    boxes = {one.get("name"): "1" for one in page.tree.iter("input") if one.get("type") == "checkbox"}
    refused = await browser.post(action, fields | boxes)
    assert refused.status >= 400
    assert "alert" in refused.response.text


async def test_a_block_ends_and_keeps_away_and_is_lifted(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    page = await browser.get(f"/me/sharing/grants/{grant.grant_id}")
    after = await browser.submit(page, f"/me/sharing/grants/{grant.grant_id}/block")
    assert "chặn từ" in after.text
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"
    made = await asked(store, clock, doctor, citizen)
    request = await browser.get(f"/me/requests/{made.request_id}")
    assert "đang chặn" in request.text
    assert not [form for form in request.tree.iter("form") if form.get("action", "").endswith("/review")]
    lift = next(one.get("action") for one in after.tree.iter("form") if "/lift" in one.get("action", ""))
    lifted = await browser.submit(after, lift)
    assert "không chặn ai" in lifted.text


async def test_everything_ends_at_once(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    await granted(store, clock, doctor, citizen)
    page = await browser.get("/me/who-can-see-me")
    assert NAME in page.text
    done = await browser.submit(page, "/me/who-can-see-me/end-all")
    assert "Đã kết thúc tất cả" in done.text
    assert NAME not in done.text
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_one_of_the_list_ends(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    page = await browser.get("/me/who-can-see-me")
    action = f"/me/who-can-see-me/{grant.grant_id}/end"
    strange = await browser.submit(page, action, kind="nothing-of-the-kind")
    assert strange.status == 404
    await browser.submit(page, action)
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_a_link_is_made_shown_once_opened_and_ended(
    client: httpx.AsyncClient, citizen: Citizen, keyed: KeyedBrowser
) -> None:
    form = await keyed.pages.get("/me/sharing/links/new")
    nobody = await keyed.pages.submit(form, "/me/sharing/links/review", label="")
    assert nobody.status == 422
    assert "dành cho ai" in nobody.text
    label = HOSTILE_TEXTS[9]
    review = await keyed.pages.submit(
        form, "/me/sharing/links/review", label=label, duration="3600", **{"paper.sheet": "1"}
    )
    assert label in review.text
    assert "1 giờ" in review.text
    made = await keyed.sign(review, "/me/sharing/links")
    assert made.status == 200, made.text
    text, passcode = [one.text_content() for one in made.tree.find_class("secret-text")]
    link = Link({"link_id": "", "link": text, "passcode": passcode})
    opened = await link.open(client)
    assert opened.status_code == 200, opened.text
    listed = await keyed.pages.get("/me/sharing")
    assert label in listed.text
    assert passcode not in listed.text
    one = await keyed.pages.get(next(path for path in listed.links() if "/links/0" in path))
    assert RECIPIENT in one.text
    end = next(form.get("action") for form in one.tree.iter("form") if "/end" in form.get("action", ""))
    ended = await keyed.pages.submit(one, end)
    assert label not in ended.text
    assert (await link.open(client)).status_code == 404


async def test_a_link_signed_for_a_day_is_not_made_for_a_month(keyed: KeyedBrowser) -> None:
    form = await keyed.pages.get("/me/sharing/links/new")
    review = await keyed.pages.submit(form, "/me/sharing/links/review", label="Cô Hoa", duration="86400")
    longer = await keyed.sign(review, "/me/sharing/links", duration=str(30 * 86400))
    assert longer.status >= 400
    assert "không có liên kết" in (await keyed.pages.get("/me/sharing")).text


async def test_a_new_browser_shares_nothing_and_says_why(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    young = await keyed_browser(store, clock, client, citizen, probation=True)
    form = await young.pages.get("/me/sharing/links/new")
    review = await young.pages.submit(form, "/me/sharing/links/review", label="Cô Hoa", duration="86400")
    refused = await young.sign(review, "/me/sharing/links")
    assert refused.status == 403
    assert "Liên kết chia sẻ mới" in refused.text
    assert (await young.pages.get("/me/sharing")).status == 200


async def test_without_a_key_no_link_and_no_code(browser: Browser) -> None:
    form = await browser.get("/me/sharing/links/new")
    assert (
        "chưa có khóa"
        in (await browser.submit(form, "/me/sharing/links/review", label="Cô Hoa", duration="86400")).text
    )
    form = await browser.get("/me/sharing/codes/new")
    assert "chưa có khóa" in (await browser.submit(form, "/me/sharing/codes/review", **CHOSEN)).text


async def test_a_code_for_a_doctor_is_redeemed_once(
    client: httpx.AsyncClient, citizen: Citizen, doctor: Doctor, keyed: KeyedBrowser
) -> None:
    form = await keyed.pages.get("/me/sharing/codes/new")
    review = await keyed.pages.submit(form, "/me/sharing/codes/review", **CHOSEN)
    made = await keyed.sign(review, "/me/sharing/codes")
    assert made.status == 200, made.text
    code = made.tree.find_class("secret-text")[0].text_content()
    assert "Mã chia sẻ chưa dùng" in (await keyed.pages.get("/me/who-can-see-me")).text
    got = await client.post(
        "/v1/doctor/share-codes/redeem", json={"code": code}, headers=bearer(doctor.token)
    )
    assert got.status_code in (200, 201), got.text
    assert NAME in (await keyed.pages.get("/me/sharing")).text


async def test_nothing_is_chosen_beforehand(keyed: KeyedBrowser) -> None:
    for kind, missing in (("codes", {"#what", "#duration"}), ("links", {"#label", "#duration"})):
        page = await keyed.pages.get(f"/me/sharing/{kind}/new")
        silent = await keyed.pages.submit(page, f"/me/sharing/{kind}/review")
        assert (page.status, silent.status) == (200, 422)
        assert missing <= set(silent.links())
        for one in (page, silent):
            assert one.tree.xpath("//main//*[@checked or @selected]") == [], kind
    page = await keyed.pages.get("/me/sharing/codes/new")
    some = await keyed.pages.submit(page, "/me/sharing/codes/review", what="some", duration="3600")
    assert "#types" in some.links()
    chosen = {"what": "some", "type.Condition": "1", "duration": "3600"}
    review = await keyed.pages.submit(page, "/me/sharing/codes/review", **chosen)
    assert "Được xemChẩn đoán" in review.text.replace("xem C", "xemC")


async def test_a_guardian_ends_a_childs_grants_and_sees_no_links(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    child = await make_child(store, clock, citizen)
    browser.cookies["book"] = str(child)
    page = await browser.get("/me/sharing")
    assert page.status == 200, page.text
    assert "Trần Bé Thử" in page.text
    assert "Tạo liên kết chia sẻ" not in page.text


async def test_forms_need_their_secret(
    browser: Browser, store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    stale = await browser.post(f"/me/sharing/grants/{grant.grant_id}/end", {"page_secret": "x"})
    assert stale.status == 403
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)


async def test_english(
    store: Store, clock: FrozenClock, citizen: Citizen, doctor: Doctor, browser: Browser
) -> None:
    grant = await granted(store, clock, doctor, citizen)
    browser.cookies["display"] = "en.normal.auto"
    for path in (
        "/me/sharing",
        f"/me/sharing/grants/{grant.grant_id}",
        "/me/who-can-see-me",
        "/me/sharing/codes/new",
    ):
        main = (await browser.get(path)).tree.find(".//main").text_content()
        for vietnamese in ("Dị ứng", "Dừng", "Đang", "Bạn"):
            assert vietnamese not in main, path
