"""The family on pages: whose book is open, invitations, disputes, ends; and the inbox."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from family.policy import PROXY_LIFE_MAX
from healthbook.dispatch import dispatch
from identity.births import service as births
from kernel.access import Access
from kernel.clock import local_day
from kernel.ids import bucket_of
from store.database import Store
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.consent import asked, granted, read
from tests.support.family import make_child, make_proxy, may
from tests.support.http import client_of
from tests.support.keyed import ORIGIN, KeyedBrowser, keyed_browser
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"], app_origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock, name="Trần Thị Mẹ")


@pytest.fixture
async def keyed(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> KeyedBrowser:
    return await keyed_browser(store, clock, client, citizen)


@pytest.fixture
def browser(client: httpx.AsyncClient, citizen: Citizen) -> Browser:
    return Browser(client, "citizen", citizen.token)


async def test_nobody_in_the_family_yet(browser: Browser) -> None:
    page = await browser.get("/me/family")
    assert "Bạn chưa chăm sóc ai" in page.text
    assert "Không ai thay mặt bạn" in page.text
    assert "Sổ của bạn" in page.text


async def test_a_childs_book_opens_and_shuts_again(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    child = await make_child(store, clock, citizen)
    page = await browser.get("/me/family")
    assert "Trần Bé Thử" in page.text
    opened = await browser.submit(page, "/me/family/open", person=str(child), follow=False)
    assert (opened.status, opened.response.headers["location"]) == (303, "/")
    assert browser.cookies["book"] == str(child)
    there = await browser.get("/me/family")
    assert "Trở về sổ của tôi" in there.text
    assert "Bạn đang mở sổ của Trần Bé Thử." in there.text
    await browser.submit(there, "/me/family/open", follow=False)
    assert "book" not in browser.cookies


@pytest.mark.parametrize("path", ["/", "/me/results", "/me/documents/add", "/me/timeline/unknown"])
async def test_with_two_children_every_page_says_whose_book_it_is(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser, path: str
) -> None:
    names = ("Trần Bé An", "Trần Bé Bình")
    children = {str(await make_child(store, clock, citizen, name=name)): name for name in names}
    for child, name in children.items():
        browser.cookies["book"] = child
        page = await browser.get(path)
        (banner,) = page.tree.xpath("//p[@class='whose']")
        assert name in " ".join(banner.text_content().split())
    browser.cookies.pop("book")
    assert (await browser.get(path)).tree.xpath("//p[@class='whose']") == []


async def test_a_childs_empty_form_stands_behind_a_living_session(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    browser.cookies["book"] = str(await make_child(store, clock, citizen))
    browser.cookies["citizen"] = "gone"
    gone = await browser.get("/me/documents/add", follow=False)
    assert (gone.status, gone.response.headers["location"]) == (303, "/sign-in")
    assert "book" not in browser.cookies


async def test_nobody_elses_book_opens(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    stranger = await make_citizen(store, clock)
    await make_child(store, clock, citizen)
    page = await browser.get("/me/family")
    for person in (str(stranger.patient_id), str(uuid4()), "no-id", str(citizen.patient_id)):
        refused = await browser.submit(page, "/me/family/open", person=person)
        assert refused.status == 403
        assert "book" not in browser.cookies
    browser.cookies["book"] = str(stranger.patient_id)
    for path in ("/me/requests", "/me/sharing", "/me/log"):
        assert (await browser.get(path)).status in (403, 404), path


async def test_a_form_drawn_in_the_own_book_does_nothing_in_a_childs(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    child = await make_child(store, clock, citizen)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    grant = await granted(store, clock, doctor, citizen)
    drawn = await browser.get("/me/sharing")
    browser.cookies["book"] = str(child)
    stale = await browser.submit(drawn, f"/me/sharing/grants/{grant.grant_id}/end")
    assert stale.status == 403
    assert isinstance(await read(store, clock, doctor, citizen.patient_id), Access)
    browser.cookies.pop("book")
    await browser.submit(drawn, f"/me/sharing/grants/{grant.grant_id}/end")
    assert await read(store, clock, doctor, citizen.patient_id) == "no-access"


async def test_an_invitation_is_signed_accepted_disputed_and_ended(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen, keyed: KeyedBrowser
) -> None:
    daughter = await make_citizen(store, clock, name="Trần Thị Con")
    form = await keyed.pages.get("/me/family/invite")
    assert form.tree.xpath("//main//*[@checked or @selected]") == []
    silent = await keyed.pages.submit(form, "/me/family/invite/review")
    assert silent.status == 422
    assert {"#scopes", "#months"} <= set(silent.links())
    asked = {"scope.read-record": "1", "months": "12"}
    review = await keyed.pages.submit(form, "/me/family/invite/review", **asked)
    assert "Xem sổ (trừ phần nhạy cảm)" in review.text
    wider = await keyed.sign(review, "/me/family/invite", **{"scope.consent": "1"})
    assert wider.status >= 400
    review = await keyed.pages.submit(form, "/me/family/invite/review", **asked)
    made = await keyed.sign(review, "/me/family/invite")
    assert made.status == 200, made.text
    code = made.tree.find_class("secret-text")[0].text_content()

    hers = Browser(client, "citizen", daughter.token)
    family = await hers.get("/me/family")
    wrong = await hers.submit(family, "/me/family/accept", code="0" * 30)
    assert wrong.status >= 400
    accepted = await hers.submit(family, "/me/family/accept", code=code)
    assert "Trần Thị Mẹ" in accepted.text
    assert isinstance(await may(store, clock, daughter, citizen.patient_id), Access)

    page = await keyed.pages.get("/me/family")
    assert "Trần Thị Con" in page.text
    disputed = await keyed.pages.submit(page, f"/me/family/{daughter.patient_id}/dispute")
    assert "đang phản đối" in disputed.text
    settled = await keyed.pages.submit(disputed, f"/me/family/{daughter.patient_id}/settle")
    assert "đang phản đối" not in settled.text
    longer = f"/me/family/{daughter.patient_id}/renew"
    assert longer in settled.links()
    page = await keyed.pages.get(longer)
    assert page.tree.xpath("//main//*[@checked or @selected]") == []
    assert (await keyed.pages.submit(page, f"{longer}/review")).status == 422
    review = await keyed.pages.submit(page, f"{longer}/review", months="12")
    assert (await keyed.sign(review, longer, months="1")).status >= 400
    settled = await keyed.sign(review, longer)
    last = local_day(clock.now()) + PROXY_LIFE_MAX - timedelta(days=1)
    assert f"{last:%d/%m/%Y}" in settled.text
    assert (await keyed.pages.get(f"/me/family/{daughter.patient_id}/labels")).status == 404
    ended = await keyed.pages.submit(settled, f"/me/family/{daughter.patient_id}/end")
    assert "Không ai thay mặt bạn" in ended.text
    assert await may(store, clock, daughter, citizen.patient_id) == "not-your-book"


async def test_who_stops_acting_leaves_the_book(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    daughter = await make_citizen(store, clock, name="Trần Thị Con")
    await make_proxy(store, clock, citizen, daughter, "read-record", "consent")
    hers = Browser(client, "citizen", daughter.token)
    page = await hers.get("/me/family")
    await hers.submit(page, "/me/family/open", person=str(citizen.patient_id))
    requests = await hers.get("/me/requests")
    assert "Bạn không xem được danh sách này thay người khác" in requests.text
    assert "Quét bằng máy ảnh" in requests.text
    page = await hers.get("/me/family")
    await hers.submit(page, f"/me/family/{citizen.patient_id}/end")
    assert "book" not in hers.cookies


async def test_the_inbox_leads_to_what_it_is_about_and_is_ones_own(
    store: Store, clock: FrozenClock, citizen: Citizen, browser: Browser
) -> None:
    assert "Chưa có thông báo nào" in (await browser.get("/me/notices")).text
    child = await make_child(store, clock, citizen)
    doctor = await make_doctor(store, clock, await make_facility(store, clock), name="Bùi Quang Ứng")
    await granted(store, clock, doctor, citizen)
    await asked(store, clock, doctor, citizen)
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
    page = await browser.get("/me/notices")
    assert "Yêu cầu xem sổ" in page.text
    assert "Bùi Quang Ứng" not in page.text
    actions = [form.get("action") for form in page.tree.iter("form") if "/open" in form.get("action", "")]
    assert actions
    opened = await browser.submit(page, actions[0], follow=False)
    assert opened.status == 303
    elsewhere = await browser.submit(page, actions[0], follow=False, place="https://evil.example/")
    assert elsewhere.response.headers["location"] == "/me/notices"
    browser.cookies["book"] = str(child)
    assert "Yêu cầu xem sổ" in (await browser.get("/me/notices")).text


@pytest.mark.parametrize("path", ["/me/family", "/me/family/invite", "/me/notices"])
async def test_english(browser: Browser, path: str) -> None:
    browser.cookies["display"] = "en.normal.auto"
    main = (await browser.get(path)).tree.find(".//main").text_content()
    for vietnamese in ("Bạn", "Gia đình", "Sổ", "Mời", "Chưa"):
        assert vietnamese not in main


async def test_from_fifteen_on_one_chooses_what_a_guardian_sees_with_the_key(
    store: Store, clock: FrozenClock, client: httpx.AsyncClient, citizen: Citizen
) -> None:
    youth = await make_citizen(store, clock, birth_date="2010-01-01")
    async with store.transaction() as tx:
        await births.link(tx, youth.patient_id, citizen.patient_id, None, clock.now())
    keyed = await keyed_browser(store, clock, client, youth)
    where = f"/me/family/{citizen.patient_id}/labels"
    assert where in (await keyed.pages.get("/me/family")).links()
    page = await keyed.pages.get(where)
    assert page.tree.xpath("//main//*[@checked]") == []
    review = await keyed.pages.submit(page, f"{where}/review", **{"label.SEX": "1"})
    assert "Sức khỏe tình dục và sinh sản" in review.text
    wider = await keyed.sign(review, where, **{"label.HIV": "1"})
    assert wider.status >= 400
    done = await keyed.sign(review, where, follow=False)
    assert (done.status, done.response.headers["location"]) == (303, "/me/family")
    none = await keyed.pages.submit(await keyed.pages.get(where), f"{where}/review")
    assert "không phần nào" in none.text
    assert (await keyed.sign(none, where, follow=False)).status == 303
