"""A counter's screen and poster over HTTP, read as a phone's camera reads them: from the picture."""

from collections.abc import AsyncIterator

import httpx
import pytest

from identity.models import Facility
from kernel.problems import Refused
from qr.points import Point, read_point
from store.database import Store
from tests.qr.test_draw import decoded, pixels_of_svg
from tests.support.clock import FrozenClock
from tests.support.exports import pdf_pages
from tests.support.http import bearer, client_of
from tests.support.people import make_doctor, make_facility
from tests.support.rendering import codes_of

COUNTERS = "/v1/facility/counters"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def facility(store: Store, clock: FrozenClock) -> Facility:
    return await make_facility(store, clock, "01XYZ")


async def staff(store: Store, clock: FrozenClock, facility: Facility, role: str) -> dict[str, str]:
    return bearer((await make_doctor(store, clock, facility, role)).token)  # type: ignore[arg-type]


async def counter_of(client: httpx.AsyncClient, admin: dict[str, str], code: str) -> str:
    made = await client.post(
        COUNTERS,
        headers=admin | {"Idempotency-Key": f"counter-of-tests-{code}"},
        json={"reason": "mở quầy mới", "counter": {"code": code, "name": "Tiếp đón"}},
    )
    assert made.status_code == 201, made.text
    return str(made.json()["counter_id"])


async def test_s7_the_screens_picture_is_presence_and_the_posters_a_number(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Facility
) -> None:
    admin = await staff(store, clock, facility, "facility-admin")
    clerk = await staff(store, clock, facility, "clerk")
    counter_id = await counter_of(client, admin, "T-1")

    screen = (await client.get(f"{COUNTERS}/{counter_id}/screen", headers=clerk)).json()
    text, level = decoded(pixels_of_svg(screen["svg"]))
    assert (text, level) == (screen["qr"], "M")
    assert read_point(store.keys, text, clock.now()) == Point(kind="counter", facility="01XYZ", counter="T-1")

    paper = await client.get(f"{COUNTERS}/{counter_id}/poster.pdf", headers=admin)
    assert paper.headers["content-type"] == "application/pdf"
    (page,) = pdf_pages(paper.content)
    assert "T-1" in page
    (printed,) = codes_of(paper.content)
    assert read_point(store.keys, printed, clock.now()) == Point(
        kind="poster", facility="01XYZ", counter="T-1"
    )
    assert isinstance(read_point(store.keys, text, clock.advance(seconds=61)), Refused)
    assert isinstance(read_point(store.keys, printed, clock.now()), Point)


async def test_only_the_administrator_prints_posters(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, facility: Facility
) -> None:
    admin = await staff(store, clock, facility, "facility-admin")
    counter_id = await counter_of(client, admin, "T-2")
    for role, status in (("clerk", 403), ("doctor", 403)):
        answer = await client.get(
            f"{COUNTERS}/{counter_id}/poster.pdf", headers=await staff(store, clock, facility, role)
        )
        assert answer.status_code == status
    other = await make_facility(store, clock)
    stranger = await staff(store, clock, other, "facility-admin")
    answer = await client.get(f"{COUNTERS}/{counter_id}/poster.pdf", headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "counter-unknown")
