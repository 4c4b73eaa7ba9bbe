"""A form makes one thing however often its button is pressed, and another once it was corrected."""

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from api.pages.uploading import new_key, once_of
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.people import make_citizen, make_doctor, make_facility

DECLARE = "/me/vaccination/declare"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    person = await make_citizen(store, clock)
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        opened.headers["cookie"] = f"citizen={person.token}"
        yield opened


def photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(made, "PNG")
    return made.getvalue()


async def sent(client: httpx.AsyncClient, fields: dict[str, str], picture: bytes) -> Page:
    return Page(await client.post(DECLARE, data=fields, files={"picture": ("a.png", picture)}))


async def drawn(client: httpx.AsyncClient) -> dict[str, str]:
    form = Page(await client.get(DECLARE)).form(DECLARE)
    form.pop("picture", None)
    return form | {"vaccine": "Sởi"}


def test_the_same_form_is_one_act_and_a_corrected_one_another() -> None:
    form = {"once": new_key(), "year": "2099"}
    assert once_of(form) == once_of(dict(reversed(form.items())))
    acts = [form, {**form, "year": "2020"}, {**form, "once": new_key()}]
    assert len({once_of(one)["idempotency-key"] for one in acts}) == 3
    assert once_of(form, b"one picture") != once_of(form, b"another")
    assert once_of({"year": "2099"}) == {}


async def test_a_dose_is_declared_after_it_was_corrected(client: httpx.AsyncClient) -> None:
    wrong = await sent(client, await drawn(client) | {"year": "2099"}, photo())
    assert wrong.status == 422
    kept = wrong.form(DECLARE)
    kept.pop("picture", None)
    assert kept["paper_id"], "the picture is not asked for again"
    done = await sent(client, kept | {"year": "2020"}, b"")
    assert (done.status, done.response.headers.get("location")) == (303, "/me/vaccination"), done.text


async def test_a_dose_whose_button_is_pressed_twice_stands_once(client: httpx.AsyncClient) -> None:
    form = await drawn(client) | {"year": "2020"}
    for _ in range(2):
        assert (await sent(client, form, photo())).status == 303
    book = Page(await client.get("/me/vaccination"))
    assert book.text.count("Tự khai, chưa xác nhận") == 1


async def test_a_reaction_is_reported_after_nothing_was_ticked(client: httpx.AsyncClient) -> None:
    address = "/me/vaccination/reaction"
    empty = Page(await client.get(address))
    wrong = Page(await client.post(address, data=empty.form(address)))
    assert wrong.status == 400
    names = [one.get("name") or "" for one in wrong.tree.iter("input")]
    sign = next(name for name in names if name.startswith("sign."))
    done = await client.post(address, data=wrong.form(address) | {sign: "1"})
    assert done.status_code == 303
    report = Page(await client.get(done.headers["location"]))
    assert "Việc cần làm ngay" in report.text


async def test_a_doctor_who_presses_twice_asks_once(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        browser = Browser(opened, "staff", doctor.token)
        start = await browser.get("/doctor")
        twice = [
            await browser.submit(start, "/doctor", subject=person.number, follow=False) for _ in range(2)
        ]
        again = await browser.submit(
            await browser.get("/doctor"), "/doctor", subject=person.number, follow=False
        )
    first, second, another = (one.response.headers["location"] for one in (*twice, again))
    assert first == second != another
