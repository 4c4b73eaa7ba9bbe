"""A partner's journey over the real server, two API processes and a worker: it gets what was ticked, signed,
with one receipt a message, until the person ends it."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator

from healthbook.demo_sheet import DemoAppClient, DemoCitizen, DemoSheet
from kernel.access import PARTNER_GROUPS
from tests.journeys.conftest import People
from tests.support.client import App
from tests.support.connecting import Wanting
from tests.support.letting_in import (
    Visitor,
    arrived,
    as_registered,
    http_at,
    origin_of,
    partner_of,
    pull,
    redeem,
)
from tests.support.oauth import Partner
from tests.support.service import Service
from tests.support.shared import ROOT
from tests.support.viewer import read_jws

SCHEMA = json.loads((ROOT / "openapi" / "partner-record.schema.json").read_bytes())
TICKED = ("history", "summary")


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with http_at(service) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(sheet: DemoSheet) -> DemoAppClient:
    return next(one for one in sheet.app_clients if one.kind == "partner")


@pytest.fixture(scope="module")
def partner(client: DemoAppClient, service: Service) -> Partner:
    return partner_of(client, service)


def wish(client: DemoAppClient) -> Wanting:
    return Wanting(as_registered(client), scope=" ".join(PARTNER_GROUPS))


def who(sheet: DemoSheet, key: str) -> DemoCitizen:
    return next(one for one in sheet.citizens if one.key == key)


async def let_in(
    http: httpx.AsyncClient, partner: Partner, client: DemoAppClient, citizen: DemoCitizen
) -> str:
    """The reference of a consent to two groups."""
    wanting = wish(client)
    visitor = await arrived(http, partner, wanting, citizen)
    assert (await visitor.prove(citizen)).headers["location"] == "/connect"
    await visitor.get("/connect")
    assert visitor.boxes() == list(PARTNER_GROUPS)
    got = await redeem(http, partner, wanting, await visitor.agree(*TICKED))
    assert (got["token_type"], got["scope"]) == ("DPoP", "partner")
    assert citizen.patient_id not in json.dumps(got)
    reference: str = got["consent"]
    return reference


def connected(app: App) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = app.get("/v1/me/connected-apps")["items"]
    return [one for one in items if one["state"] == "live"]


async def test_a_partner_gets_what_was_ticked_until_the_citizen_ends_it(
    http: httpx.AsyncClient, partner: Partner, client: DemoAppClient, sheet: DemoSheet, people: People
) -> None:
    hung, app = who(sheet, "hung"), people.app("hung")
    consent = await let_in(http, partner, client, hung)
    answer = await pull(http, partner, "journey-0001", consent, *TICKED)
    assert answer.status_code == 200, answer.text
    handed = answer.json()
    record = await verified(http, handed, partner, consent)
    assert record["history"]["allergies"]
    assert hung.number not in json.dumps(record)
    assert hung.name not in json.dumps(record)

    # Of what was not ticked nothing leaves, whatever stands beside it.
    beyond = await pull(http, partner, "journey-0002", consent, "administrative", "history")
    assert (beyond.status_code, beyond.json()["code"]) == (403, "beyond-consent")

    # The same message has one receipt, and is answered anew by whichever process.
    again = [(await pull(http, partner, "journey-0001", consent, *TICKED)).json() for _ in range(4)]
    assert {one["receipt"]["receipt_id"] for one in again} == {handed["receipt"]["receipt_id"]}
    other = await pull(http, partner, "journey-0001", consent, "history")
    assert (other.status_code, other.json()["code"]) == (422, "message-reused")

    seen_by_citizen(app, client, handed)
    (one,) = connected(app)
    assert (one["name"], one["groups"]) == (client.name, list(TICKED))
    app.delete(f"/v1/me/connected-apps/{one['consent_id']}")
    for msg_id in ("journey-0001", "journey-0003"):
        ended = await pull(http, partner, msg_id, consent, *TICKED)
        assert (ended.status_code, ended.json()["code"]) == (403, "no-access")
    assert connected(app) == []


async def verified(
    http: httpx.AsyncClient, handed: dict[str, Any], partner: Partner, consent: str
) -> dict[str, Any]:
    """The record, after npm jose took the signature and an independent validator the form."""
    keys = (await http.get("/.well-known/partner-keys.json")).json()
    (read,) = read_jws([handed["record"]], keys, ["ES256"])
    assert read["header"]["typ"] == "ssk-partner-record+jws"
    claims: dict[str, Any] = read["payload"]
    assert (claims["iss"], claims["aud"]) == (partner.origin, str(partner.client_id))
    assert (claims["consent"], claims["groups"]) == (consent, list(TICKED))
    assert claims["receipt"] == handed["receipt"]
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(claims["record"])
    record: dict[str, Any] = claims["record"]
    assert set(record) == {"schema", "history", "summaries", "next"}
    return record


def seen_by_citizen(app: App, client: DemoAppClient, handed: dict[str, Any]) -> None:
    """What left, in the person's log and in the list of disclosures."""
    items = app.get("/v1/me/access-log")["items"]
    said = f"{client.name} đã lấy tiền sử, tóm tắt điều trị (đối tác)"
    assert len([item for item in items if said in item["line"] and not item["is_own"]]) == 5
    listed = app.get("/v1/me/disclosures")["items"]
    assert len(listed) == 5
    assert {one["receipt_id"] for one in listed} == {handed["receipt"]["receipt_id"]}
    assert handed["payload_sha256"] in {one["payload_sha256"] for one in listed}
    assert {tuple(one["groups"]) for one in listed} == {TICKED}


@pytest.mark.parametrize(
    ("signs_in", "level", "decision"),
    [
        ("lan", 1, "allow"),
        ("minh", 2, "allow"),
        ("lan", 2, "deny"),
    ],
)
async def test_a_level_1_sign_in_the_wrong_person_and_a_no_give_nothing(
    http: httpx.AsyncClient,
    partner: Partner,
    client: DemoAppClient,
    sheet: DemoSheet,
    people: People,
    signs_in: str,
    level: int,
    decision: str,
) -> None:
    visitor = await arrived(http, partner, wish(client), who(sheet, "lan"))
    refused = await visitor.prove(who(sheet, signs_in), level, decision)
    assert refused.status_code == 403
    gone = await visitor.get("/connect")
    came = dict(parse_qsl(urlsplit(gone.headers["location"]).query))
    assert came["error"] == "access_denied"
    assert "code" not in came
    assert connected(people.app("lan")) == connected(people.app("minh")) == []


async def test_a_partner_and_an_app_stand_in_one_list_and_end_together(
    http: httpx.AsyncClient,
    service: Service,
    partner: Partner,
    client: DemoAppClient,
    sheet: DemoSheet,
    people: People,
) -> None:
    huong, app = who(sheet, "huong"), people.app("huong")
    consent = await let_in(http, partner, client, huong)
    chosen = next(one for one in sheet.app_clients if one.kind == "app")
    tokens = await choose(http, service, chosen, huong)
    assert {(one["kind"], one["name"]) for one in connected(app)} == {
        ("partner", client.name),
        ("app", chosen.name),
    }
    app.delete("/v1/me/connected-apps")
    assert connected(app) == []
    assert (await pull(http, partner, "journey-0009", consent, "history")).status_code == 403
    form = {
        "grant_type": "refresh_token",
        "client_id": chosen.client_id,
        "refresh_token": tokens["refresh_token"],
    }
    renewed = await http.post("/oauth/token", data=form)
    assert (renewed.status_code, renewed.json()["error"]) == (400, "invalid_grant")


async def choose(
    http: httpx.AsyncClient, service: Service, chosen: DemoAppClient, citizen: DemoCitizen
) -> dict[str, Any]:
    """A SMART launch of the demo's app; everything that it asks for is ticked."""
    wanting = Wanting(as_registered(chosen), scope="launch/patient offline_access patient/Immunization.rs")
    visitor = Visitor(http)
    asked = wanting.parameters(aud=f"{origin_of(service)}/fhir")
    await visitor.open(f"/oauth/authorize?{urlencode(asked)}")
    await visitor.prove(citizen)
    await visitor.get("/connect")
    back = await visitor.agree(*visitor.boxes())
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    answer = await http.post("/oauth/token", data=wanting.exchange(code))
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens
