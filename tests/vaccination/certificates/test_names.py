"""The Latin name: the rule, where it is parted, and what an operator read off a passport."""

from collections.abc import AsyncIterator

import httpx
import pytest

from store.database import Store
from tests.support.certifying import (
    CERTIFICATES,
    covid,
    days_ago,
    issued,
    listed,
    make_station,
    send,
    text_of,
)
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen
from tests.support.record import our_id
from tests.support.signing_process import RunningSigner
from vaccination.certificates.ending import dcc_of

NAME = f"{CERTIFICATES}/latin-name"


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def test_a_family_name_of_two_words_is_parted_as_in_the_passport(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who = await make_citizen(store, clock, name="Nguyễn Phúc Bảo Đại")
    station = await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    dose = our_id(station.name, "d")
    first = await issued(client, who.token, dose)
    names = dcc_of(await text_of(client, who.token, first["certificate_id"]))["nam"]
    assert (names["fnt"], names["gnt"]) == ("NGUYEN", "PHUC<BAO<DAI")
    body = {"family_name": "Nguyễn Phúc", "given_name": "BAO DAI"}
    done = await client.put(NAME, headers=bearer(who.token), json=body)
    assert done.status_code == 204, done.text
    page = await listed(client, who.token)
    assert (page["latin_family_name"], page["latin_given_name"]) == ("NGUYEN<PHUC", "BAO<DAI")
    assert [one["state"] for one in page["ended"]] == ["replaced"]
    clock.advance(seconds=31)
    second = await issued(client, who.token, dose)
    names = dcc_of(await text_of(client, who.token, second["certificate_id"]))["nam"]
    assert (names["fnt"], names["gnt"]) == ("NGUYEN<PHUC", "BAO<DAI")
    assert (names["fn"], names["gn"]) == ("Nguyễn Phúc", "Bảo Đại")


@pytest.mark.parametrize(
    ("family", "given"),
    [
        ("TRAN", "VAN A"),
        ("NGUYEN", "PHUC BAO"),
        ("NGUYEN PHUC BAO DAI", "DAI"),
        ("!!!", "?"),
        ("<<", "<"),
        ("NGU", "YEN PHUC BAO DAI"),
        (".", "NGUYEN PHUC BAO DAI"),
        ("AI", "NGUYEN PHUC BAO D"),
    ],
)
async def test_other_letters_than_the_books_are_refused(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, family: str, given: str
) -> None:
    """Whoever may write any name holds somebody else's certificate at a border."""
    who = await make_citizen(store, clock, name="Nguyễn Phúc Bảo Đại")
    body = {"family_name": family, "given_name": given}
    refused = await client.put(NAME, headers=bearer(who.token), json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "latin-name-differs")
    assert (await listed(client, who.token))["latin_family_name"] is None
