"""A client hears that a consent ended or that something changed: signed, and ids alone."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, cast

import httpx
import jwt
import pytest
from jwt import PyJWKSet

from consent.apps import service as apps
from consent.apps.models import AppConsent
from consent.decision import decide
from healthbook.client_commands import clients_table
from healthbook.housekeeping import do_chore
from healthbook.webhook_jobs import webhook_jobs
from healthbook.worker import Worker
from identity.app_clients import service as register
from identity.app_clients.models import EndedAppClient
from kernel.access import PARTNER_GROUPS, Access
from notifications.delivery import Senders
from notifications.ports import RecordingPushSender, RecordingSmsSender
from partners.webhooks.policy import WAITS, verdict_of, wait_after
from store.database import Store
from store.egress import Egress
from tests.ehr.intake.records import allergy, bundle, send
from tests.store.test_egress import HOSTILE_ADDRESSES, PRIVATE, PUBLIC, resolving
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.oauth import client_by_id, enter, entry, key_of, let_in, public
from tests.support.people import Citizen, make_citizen, make_facility

ADDRESS = "https://partner.example.org/events"
ENDED = "urn:vn:so-suc-khoe:event:consent-ended"
CHANGED = "urn:vn:so-suc-khoe:event:record-changed"


class Far(httpx.AsyncBaseTransport):
    """The client's end: notes what came, answers as told."""

    def __init__(self) -> None:
        self.status: int | None = 202
        self.came: list[httpx.Request] = []
        self.bodies: list[str] = []
        # What happens while the far side has the event and has not answered yet.
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request)
        self.bodies.append((await request.aread()).decode())
        status = self.status
        if status is None:
            raise httpx.ConnectError("nobody")
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return httpx.Response(status, stream=httpx.ByteStream(b""))


class House:
    """A worker whose way out ends at the far side."""

    def __init__(
        self, store: Store, delivery: Store, clock: FrozenClock, issuer: str = "http://localhost"
    ) -> None:
        self.store, self.clock, self.far = store, clock, Far()
        self.resolved = [PUBLIC]
        senders = Senders(RecordingPushSender(), RecordingSmsSender())
        egress = Egress(self._resolve, self.far)
        jobs = webhook_jobs(store, clock, issuer, egress)
        self.worker = Worker(store, delivery, senders, clock, jobs)

    async def _resolve(self, host: str) -> list[str]:
        return await resolving(*self.resolved)(host)

    async def work(self) -> None:
        for _ in range(4):
            await self.worker.round()
            await self.worker.outside_done()

    async def waiting(self) -> list[tuple[str, str, int, str | None]]:
        async with self.store.transaction() as tx:
            rows = await tx.fetch(
                "SELECT kind, state, attempts, outcome FROM partner_webhook ORDER BY event_id"
            )
        return [tuple(row) for row in rows]


@pytest.fixture
async def house(fresh_store: Store, delivery: Store, clock: FrozenClock) -> House:
    return House(fresh_store, delivery, clock)


async def connect(house: House, person: Citizen, **more: Any) -> AppConsent:
    said = {"jwks": public(key_of()), "webhook_uri": ADDRESS} | more
    client = await enter(house.store, house.clock, entry(**said))
    return await let_in(house.store, house.clock, person, client, groups=frozenset(PARTNER_GROUPS))


async def end(house: House, person: Citizen, consent: AppConsent) -> None:
    now = house.clock.now()
    async with house.store.transaction() as tx:
        access = await decide(tx, person.actor, person.patient_id, "guard-grants", "PATRQT", now)
        assert isinstance(access, Access), access
        assert await apps.end(tx, access, consent.consent_id, trace_id="t", now=now) is None


async def told(house: House, consent: AppConsent) -> dict[str, Any]:
    """The newest event, checked with a library that is none of ours."""
    request = house.far.came[-1]
    assert request.headers["content-type"] == "application/secevent+jwt"
    assert request.headers["host"] == "partner.example.org"
    token = house.far.bodies[-1]
    async with client_of(house.store, house.clock) as client:
        keys = PyJWKSet.from_dict((await client.get("/.well-known/partner-keys.json")).json()).keys
    claims: dict[str, Any] = jwt.decode(
        token,
        cast(Any, keys[-1]),
        algorithms=["ES256"],
        audience=str(consent.client_id),
        issuer="http://localhost",
        options={"verify_iat": False},
    )
    assert jwt.get_unverified_header(token)["typ"] == "secevent+jwt"
    assert claims["sub_id"] == {"format": "opaque", "id": str(consent.reference)}
    assert claims.keys() == {"iss", "aud", "iat", "jti", "sub_id", "toe", "events"}
    return claims


async def test_a_consent_that_ends_is_told_at_once_and_once(house: House) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    await end(house, person, consent)
    await house.work()
    assert (await told(house, consent))["events"] == {ENDED: {}}
    await house.work()
    assert len(house.far.came) == 1
    assert str(person.patient_id) not in house.far.bodies[0]


async def test_records_that_come_are_told_without_a_word_of_them(house: House) -> None:
    store, clock = house.store, house.clock
    person, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79071")
    consent = await connect(house, person)
    await send(store, clock, facility, bundle(person, allergy("Penicillin")))
    await house.work()
    claims = await told(house, consent)
    assert claims["events"] == {CHANGED: {}}
    assert "Penicillin" not in json.dumps(claims)
    await send(store, clock, facility, bundle(person, allergy("Penicillin")))
    await house.work()
    assert len(house.far.came) == 1


@pytest.mark.parametrize(("status", "state"), [(202, "delivered"), (400, "stopped")])
async def test_a_change_while_an_event_is_being_handed_over_is_told_by_another(
    house: House, status: int, state: str
) -> None:
    store, clock = house.store, house.clock
    person, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79074")
    consent = await connect(house, person)
    house.far.status = status

    async def more() -> None:
        house.far.status = 202
        for code in ("2", "3"):
            await send(store, clock, facility, bundle(person, allergy("Penicillin") | {"id": f"al{code}"}))
            await house.worker.round()

    house.far.meanwhile = more
    await send(store, clock, facility, bundle(person, allergy("Penicillin")))
    await house.work()
    assert (await told(house, consent))["events"] == {CHANGED: {}}
    assert len({jwt.decode(one, options={"verify_signature": False})["jti"] for one in house.far.bodies}) == 2
    assert sorted(row[:3] for row in await house.waiting()) == [
        ("record-changed", "delivered", 1),
        ("record-changed", state, 1),
    ]


async def test_changes_before_an_event_leaves_are_one_event(house: House) -> None:
    store, clock = house.store, house.clock
    person, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79075")
    await connect(house, person)
    house.far.status = 503
    for number in range(3):
        await send(store, clock, facility, bundle(person, allergy("Penicillin") | {"id": f"al{number}"}))
        await house.work()
    house.far.status = 202
    clock.advance(minutes=1)
    await house.work()
    assert await house.waiting() == [("record-changed", "delivered", 2, "202")]
    clock.advance(days=1)
    await house.work()
    assert len(house.far.came) == 2


async def test_s23_what_is_withheld_is_not_told_by_an_event_either(house: House) -> None:
    store, clock = house.store, house.clock
    person, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79072")
    await connect(house, person)
    secret = {
        "resourceType": "Condition",
        "id": "c1",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F20"}]},
        "subject": {"reference": "Patient/p1"},
    }
    await send(store, clock, facility, bundle(person, secret))
    await house.work()
    assert house.far.came == []
    assert await house.waiting() == []


async def test_a_far_side_that_is_away_is_asked_again_and_given_up_in_the_end(house: House) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    house.far.status = 503
    await end(house, person, consent)
    await house.work()
    for number, wait in enumerate(WAITS, start=1):
        assert len(house.far.came) == number
        house.clock.set(house.clock.now() + wait - timedelta(seconds=1))
        await house.work()
        assert len(house.far.came) == number
        house.clock.advance(seconds=1)
        house.far.status = None if number % 2 else 503
        await house.work()
    house.clock.advance(days=10)
    await house.work()
    assert len(house.far.came) == len(WAITS) + 1
    assert [row[:3] for row in await house.waiting()] == [("consent-ended", "stopped", len(WAITS) + 1)]
    # Each time it is the same event.
    assert (
        len({jwt.decode(body, options={"verify_signature": False})["jti"] for body in house.far.bodies}) == 1
    )


async def test_a_far_side_that_comes_back_hears_it(house: House) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    house.far.status = 500
    await end(house, person, consent)
    await house.work()
    house.clock.advance(minutes=1)
    house.far.status = 202
    await house.work()
    assert await house.waiting() == [("consent-ended", "delivered", 2, "202")]


@pytest.mark.parametrize("status", [400, 410])
async def test_a_far_side_that_refuses_is_not_asked_again(house: House, status: int) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    house.far.status = status
    await end(house, person, consent)
    await house.work()
    house.clock.advance(days=5)
    await house.work()
    assert await house.waiting() == [("consent-ended", "stopped", 1, str(status))]
    # An operator finds out why a client was not told.
    told_of = (await clients_table(house.store)).splitlines()[-1]
    assert str(consent.client_id) in told_of
    assert f"consent-ended  stopped: {status}  1 tries" in told_of
    assert str(person.patient_id) not in told_of


@pytest.mark.parametrize("address", [PRIVATE[0], "::ffff:169.254.169.254"])
async def test_s29_an_address_that_leads_inside_is_asked_nothing(house: House, address: str) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    house.resolved = [PUBLIC, address]
    await end(house, person, consent)
    await house.work()
    assert house.far.came == []
    assert await house.waiting() == [("consent-ended", "waiting", 1, "private-address")]


async def test_s29_a_redirect_is_not_followed(house: House) -> None:
    person = await make_citizen(house.store, house.clock)
    consent = await connect(house, person)
    house.far.status = 302
    await end(house, person, consent)
    await house.work()
    assert len(house.far.came) == 1
    assert await house.waiting() == [("consent-ended", "waiting", 1, "redirect")]


@pytest.mark.parametrize("url", [url for url, _ in HOSTILE_ADDRESSES if 8 <= len(url) <= 500])
def test_s29_no_hostile_address_is_entered_for_a_client(url: str) -> None:
    refused = register.judge(entry(jwks=public(key_of()), webhook_uri=url))
    assert refused is not None
    assert refused.where == "webhook_uri"


async def test_a_change_is_not_told_after_the_consent_ended_meanwhile(house: House) -> None:
    store, clock = house.store, house.clock
    person, facility = await make_citizen(store, clock), await make_facility(store, clock, code="79073")
    consent = await connect(house, person)
    house.far.status = 503
    await send(store, clock, facility, bundle(person, allergy()))
    await house.work()
    assert len(house.far.came) == 1
    await end(house, person, consent)
    house.far.status = 202
    clock.advance(minutes=1)
    await house.work()
    assert [row[:2] for row in await house.waiting()] == [
        ("record-changed", "dropped"),
        ("consent-ended", "delivered"),
    ]


async def test_a_client_that_was_ended_or_has_no_address_is_told_nothing(house: House) -> None:
    person = await make_citizen(house.store, house.clock)
    silent = await connect(house, person, webhook_uri=None)
    await end(house, person, silent)
    gone = await connect(house, person)
    await end(house, person, gone)
    async with house.store.transaction() as tx:
        await register.end(tx, EndedAppClient(client_id=gone.client_id), house.clock.now())
    await house.work()
    assert house.far.came == []
    assert (await client_by_id(house.store, silent.client_id)).webhook_uri is None


async def test_settled_events_go_after_their_time_and_one_that_waits_stays(house: House) -> None:
    settled = await make_citizen(house.store, house.clock)
    await end(house, settled, await connect(house, settled))
    await house.work()
    house.far.status = 503
    waiting = await make_citizen(house.store, house.clock)
    await end(house, waiting, await connect(house, waiting))
    await house.work()
    after = house.clock.now() + timedelta(days=90)
    for now, left in ((after, ["delivered", "waiting"]), (after + timedelta(seconds=1), ["waiting"])):
        async with house.store.transaction() as tx:
            await do_chore(tx, "partner-webhooks", now)
        assert sorted(state for _, state, _, _ in await house.waiting()) == left


def test_when_an_event_is_sent_again() -> None:
    assert [verdict_of(status) for status in (200, 202, 204)] == ["delivered"] * 3
    assert [verdict_of(status) for status in (None, 408, 425, 429, 500, 503)] == ["again"] * 6
    assert [verdict_of(status) for status in (400, 401, 403, 404, 410, 422)] == ["stopped"] * 6
    waits = [wait_after(number) for number in range(1, 12)]
    assert None not in waits[: len(WAITS)]
    assert set(waits[len(WAITS) :]) == {None}
