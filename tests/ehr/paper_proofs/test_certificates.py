"""A health check is a paper too: printed with a code that answers until when it counts, and no conclusion."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.ehr.paper_proofs.test_papers import check, papers, printed
from tests.support import health_checks
from tests.support.clock import FrozenClock
from tests.support.health_checks import enter
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility

DRIVER = {
    "kind": "driving-licence",
    "check_number": "LX-7",
    "health_class": "Loại II",
    "conclusion": "Tăng huyết áp độ 1. Đủ sức khỏe lái xe hạng B1.",
    "valid_until": "2027-05-19",
}


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def checked(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, **changed: Any
) -> tuple[Citizen, Doctor, str]:
    person = await make_citizen(store, clock, name="Nguyễn Thị Hường")
    nurse = await make_doctor(store, clock, await make_facility(store, clock, name="Trạm Khám"), role="nurse")
    sent = await enter(client, nurse, health_checks.check(person, **(DRIVER | changed)))
    assert sent.status_code == 201, sent.text
    return person, nurse, sent.json()["check_id"]


async def test_a_certificate_is_shown_printed_and_says_until_when_it_counts(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _, _ = await checked(client, store, clock)
    paper = (await papers(client, person))["health-check"]
    assert (paper["title_vi"], paper["number"]) == ("Giấy khám sức khỏe người lái xe", "LX-7")
    assert (paper["date"], paper["valid_until"]) == ("2026-11-20", "2027-05-19")
    assert "Kết luận: Tăng huyết áp độ 1. Đủ sức khỏe lái xe hạng B1." in paper["lines"]
    assert any(line.startswith("Cân nặng: 28.50 kg") for line in paper["lines"])
    one = await client.get(f"/v1/me/papers/{paper['id']}", headers=bearer(person.token))
    assert one.json() == paper
    words, code = await printed(client, store, person, paper)
    for told in ("Giấy khám sức khỏe người lái xe", "Trạm Khám", "Loại II", "Tăng huyết áp", "19/05/2027"):
        assert told in words, told
    answer = await check(client, code)
    assert (answer["outcome"], answer["issued_by"]) == ("unchanged", "Trạm Khám")
    assert (answer["number"], answer["date"]) == ("LX-7", "2026-11-20")
    assert (answer["health_class"], answer["valid_until"]) == ("Loại II", "2027-05-19")
    assert (answer["expired"], answer["ended_on"]) == (False, None)
    told_of = json.dumps(answer, ensure_ascii=False)
    assert "Đủ sức khỏe" not in told_of
    assert "Hường" not in told_of


async def test_an_ended_certificate_says_since_when_it_no_longer_counts(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, _, _ = await checked(client, store, clock, valid_until="2026-11-25")
    _, code = await printed(client, store, person, (await papers(client, person))["health-check"])
    clock.advance(days=30)
    answer = await check(client, code)
    assert (answer["outcome"], answer["expired"]) == ("unchanged", True)
    assert (answer["valid_until"], answer["ended_on"]) == ("2026-11-25", "2026-11-26")
    assert "26/11/2026" in answer["text_vi"]
    assert "2026-11-26" in answer["text_en"]


async def test_a_class_in_words_of_its_own_stays_on_the_paper(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    own = "Loại IV, tăng huyết áp"
    person, _, _ = await checked(client, store, clock, health_class=own, valid_until=None)
    words, code = await printed(client, store, person, (await papers(client, person))["health-check"])
    assert own in words
    answer = await check(client, code)
    assert (answer["outcome"], answer["health_class"], answer["valid_until"]) == ("unchanged", None, None)


async def test_an_amended_certificate_is_replaced_and_one_taken_back_withdrawn(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person, nurse, check_id = await checked(client, store, clock)
    _, code = await printed(client, store, person, (await papers(client, person))["health-check"])
    clock.advance(minutes=1)
    place = f"{health_checks.PLACE}/{check_id}"
    body = health_checks.check(person, **(DRIVER | {"valid_until": "2027-11-19"}))
    amended = await client.put(place, json=body, headers=bearer(nurse.token))
    assert amended.status_code == 200, amended.text
    answer = await check(client, code)
    assert (answer["outcome"], answer["issued_by"]) == ("replaced", "Trạm Khám")
    assert answer["health_class"] is answer["valid_until"] is None
    clock.advance(minutes=1)
    _, newer = await printed(client, store, person, (await papers(client, person))["health-check"])
    await client.post(f"{place}/withdraw", headers=bearer(nurse.token))
    for one in (code, newer):
        assert (await check(client, one))["outcome"] == "withdrawn"
    assert await papers(client, person) == {}
