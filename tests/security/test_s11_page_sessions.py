"""S11, S8: what a browser's session may do: each act × {no key, proven, key on probation, trusted key}.

A session without a key signs nothing and is no better a door than a device on probation. Proven by the
identity provider it reads the own book, and does nothing more.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from consent.decision import PROBATION_ACTIONS, PROVEN_READS, decide
from consent.problems import UNKNOWN_REQUEST
from identity import page_sessions
from identity.page_sessions import PageSession
from identity.verification.models import Verified
from kernel.access import ALL_LABELS, Access, Action
from kernel.problems import Refused
from store.database import Store
from tests.support import browser as authenticator
from tests.support.accounts import signed_pin
from tests.support.actors import Route, routes
from tests.support.clock import FrozenClock
from tests.support.consent import approval_for, asked, code_of, row_of, send_approval
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.page_doors import actor_of, sign_in, signed, signed_in, someone, with_key
from tests.support.people import Citizen, make_doctor, make_facility
from tests.test_routes import BODIES

ROUTES = [one for one in routes() if one.path.startswith("/v1/me")]
# Tickets for pictures of the own record: read by a POST, since a ticket serves once.
READS_BY_POST = {"/v1/me/imaging-studies/{study_id}/viewer-tickets"}
ON_PROBATION = "device-on-probation"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, app_origin=authenticator.ORIGIN) as opened:
        yield opened


async def proven_token(store: Store, clock: FrozenClock, citizen: Citizen) -> str:
    """The session that the identity provider's word opens."""
    said = Verified(
        level=2,
        number=citizen.number,
        name=citizen.name,
        birth_date=citizen.birth_date,
        sex=citizen.sex,
    )
    async with store.transaction() as tx:
        done = await page_sessions.open_by_identity(tx, store.keys, said, request_id="r", now=clock.now())
    assert isinstance(done, PageSession)
    return done.token


async def trusted_token(client: httpx.AsyncClient, store: Store, clock: FrozenClock, citizen: Citizen) -> str:
    """A browser whose 72 hours are over, come back with its key."""
    browser, key = await with_key(client, store, clock, citizen)
    clock.advance(hours=73)
    await signed(browser, await sign_in(store, clock, browser, citizen), "/sign-in/known-key", key)
    return browser.cookies["citizen"]


async def test_s8_a_new_pin_ends_what_the_old_one_opened_without_a_key(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """Who changes a PIN that was seen throws out whoever saw it, and no browser that has its key."""
    citizen = await someone(store, clock)
    thief = await signed_in(client, store, clock, citizen)
    own, _ = await with_key(client, store, clock, citizen)
    body = {"pin": "837264", "signed": signed_pin(citizen, "837264", clock)}
    assert (await client.post("/v1/me/pin", json=body, headers=bearer(citizen.token))).status_code == 204
    assert await actor_of(store, clock, thief.cookies["citizen"]) is None
    assert await actor_of(store, clock, own.cookies["citizen"]) is not None


async def answer_of(client: httpx.AsyncClient, route: Route, token: str) -> str:
    """The problem's code; empty where the route did what it was asked for."""
    options: dict[str, Any] = {"params": dict.fromkeys(route.query, "abc"), "headers": bearer(token)}
    if route.operation_id in BODIES:
        options["json"] = BODIES[route.operation_id]
    answer = await client.request(route.method, route.filled, **options)
    assert answer.status_code < 500, route
    if "problem" not in answer.headers.get("content-type", ""):
        return ""
    return str(answer.json()["code"])


async def closed_to(client: httpx.AsyncClient, token: str) -> set[tuple[str, str]]:
    """Routes that answer a session: not on probation."""
    found = set()
    for route in ROUTES:
        code = await answer_of(client, route, token)
        assert code not in {"not-signed-in", "session-ended"}, route
        if code == ON_PROBATION:
            found.add((route.method, route.path))
    return found


async def test_no_key_is_a_key_on_probation_and_proven_it_reads_and_does_nothing_more(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    one, two, three = [await someone(store, clock) for _ in range(3)]
    plain = (await signed_in(client, store, clock, one)).cookies["citizen"]
    on_probation = (await with_key(client, store, clock, two))[0].cookies["citizen"]
    proven = await proven_token(store, clock, three)
    closed = await closed_to(client, plain)
    assert closed == await closed_to(client, on_probation)
    opened = closed - await closed_to(client, proven)
    assert {path for method, path in opened if method != "GET"} <= READS_BY_POST
    for path in ("results", "timeline", "search", "immunizations", "access-log", "costs", "prescriptions"):
        assert any(found == f"/v1/me/{path}" for _, found in opened), path


async def test_a_trusted_key_opens_all_that_a_phone_opens(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    assert (
        await closed_to(client, await trusted_token(client, store, clock, await someone(store, clock)))
        == set()
    )


async def test_without_a_key_nothing_is_signed(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    signing = [one for one in ROUTES if "signed" in str(BODIES.get(one.operation_id, ""))]
    assert len(signing) > 10
    plain = (await signed_in(client, store, clock, citizen)).cookies["citizen"]
    for token in (plain, await proven_token(store, clock, citizen)):
        for route in signing:
            assert await answer_of(client, route, token) in {
                ON_PROBATION,
                "step-up-refused",
                # Decided before anything is signed: there is no such thing.
                UNKNOWN_REQUEST.code,
                "unknown-grant",
                "unknown-connected-app",
            }, route


async def test_a_request_that_waits_is_not_approved_without_a_key(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, citizen)
    row = await row_of(store, doctor, request.request_id)
    tokens = [(await signed_in(client, store, clock, citizen)).cookies["citizen"]]
    tokens.append(await proven_token(store, clock, citizen))
    for token in tokens:
        actor = await actor_of(store, clock, token)
        assert actor is not None
        # Also not with the phone's own signature over a text that names no device.
        keyless = replace(citizen, actor=actor)
        for answer in (
            approval_for(store, keyless, row, clock.now()),
            approval_for(store, citizen, row, clock.now()),
        ):
            refused = await send_approval(store, clock, keyless, request.request_id, answer)
            assert code_of(refused) == "step-up-refused"
    still = await client.get("/v1/me/access-requests", headers=bearer(tokens[0]))
    assert [one["request_id"] for one in still.json()["items"]] == [str(request.request_id)]


async def test_revoking_blocking_and_refusing_need_the_session_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    request = await asked(store, clock, doctor, citizen)
    token = (await signed_in(client, store, clock, citizen)).cookies["citizen"]
    refused = await client.post(f"/v1/me/access-requests/{request.request_id}/refuse", headers=bearer(token))
    assert refused.status_code < 300
    ended = await client.post("/v1/me/grants/revoke", json={"by": "all"}, headers=bearer(token))
    assert ended.status_code < 300


@pytest.mark.parametrize("action", sorted(PROVEN_READS))
async def test_a_proven_session_reads_without_labels_and_its_own_book_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, action: Action
) -> None:
    del client
    citizen = await someone(store, clock)
    child = await make_child(store, clock, citizen, "2018-01-01")
    actor = await actor_of(store, clock, await proven_token(store, clock, citizen))
    assert actor is not None
    async with store.transaction() as tx:
        own = await decide(tx, actor, citizen.patient_id, action, "PATRQT", clock.now(), keys=store.keys)
        other = await decide(tx, actor, child, action, "PATRQT", clock.now(), keys=store.keys)
    assert isinstance(own, Access)
    assert own.withheld_labels == ALL_LABELS
    assert isinstance(other, Refused)
    assert other.problem.code == ON_PROBATION


def test_what_a_proven_session_may_do_beyond_is_reading() -> None:
    assert not PROVEN_READS & PROBATION_ACTIONS
    assert all(one.startswith(("read-", "look-at-")) or one == "search" for one in PROVEN_READS)


async def test_push_and_receipts_need_a_device(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    token = (await signed_in(client, store, clock, await someone(store, clock))).cookies["citizen"]
    for operation in ("set_push_target", "record_notification_receipt"):
        (route,) = [one for one in ROUTES if one.operation_id == operation]
        assert (await answer_of(client, route, token)).startswith(("no-device", ON_PROBATION)), operation


async def test_the_person_s_log_says_that_a_browser_came_in(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    citizen = await someone(store, clock)
    await signed_in(client, store, clock, citizen)
    log = await client.get("/v1/me/access-log", headers=bearer(citizen.token))
    assert any("đăng nhập bằng trình duyệt" in str(one) for one in log.json()["items"])
