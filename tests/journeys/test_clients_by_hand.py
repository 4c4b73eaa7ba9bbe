"""The transcript of docs/partners.md, typed: a partner is entered, and the demo's partner and app are let in
and read what they were given."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest

from healthbook.demo_sheet import DemoSheet
from tests.journeys.test_by_hand import Terminal
from tests.support.letting_in import Visitor, http_at
from tests.support.oauth import key_of, public
from tests.support.service import Service, environment, run_command_with

PARTNER, APP, CITIZEN = "doi-tac", "ung-dung", "minh"


@pytest.fixture
def hand(service: Service) -> Terminal:
    return Terminal(service)


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with http_at(service) as opened:
        yield opened


def test_two_operators_enter_a_client_and_end_it(hand: Terminal, sheet: DemoSheet) -> None:
    first, second = (one.username for one in sheet.operators)
    client = {
        "kind": "partner",
        "name": "Sổ gia đình",
        "holder": "Công ty Ví Dụ",
        "auth": "private_key_jwt",
        "jwks": public(key_of()),
        "redirect_uris": ["https://so-gia-dinh.example/ve"],
        "groups_max": ["history", "summary"],
    }
    body = json.dumps({"reason": "Hợp đồng số 1", "client": client})
    status, proposed = hand(first, "POST", "/v1/admin/app-clients", body)
    assert status == 202
    status, made = hand(second, "POST", f"/v1/admin/changes/{proposed['change_id']}/confirm")
    assert status == 201
    listed = hand(first, "GET", "/v1/admin/app-clients")[1]["items"]
    assert {one["name"] for one in listed} == {"Đối tác minh họa", "Ứng dụng minh họa", "Sổ gia đình"}
    end = json.dumps({"reason": "Hết hợp đồng", "client": {"client_id": made["created_id"]}})
    status, proposed = hand(second, "POST", "/v1/admin/app-clients/end", end)
    assert status == 202
    assert hand(first, "POST", f"/v1/admin/changes/{proposed['change_id']}/confirm")[0] == 201


async def given(http: httpx.AsyncClient, sheet: DemoSheet, address: str, *boxes: str) -> str:
    """What the browser's address says after the person agreed."""
    citizen = next(one for one in sheet.citizens if one.key == CITIZEN)
    visitor = Visitor(http)
    await visitor.open(address)
    await visitor.prove(citizen)
    await visitor.get("/connect")
    return await visitor.agree(*(boxes or visitor.boxes()))


async def test_the_demo_s_partner_asks_is_let_in_pulls_and_is_shown_out(
    hand: Terminal, http: httpx.AsyncClient, sheet: DemoSheet
) -> None:
    address = hand.line(PARTNER, "connect", "history,summary", "--for", CITIZEN)
    status, got = hand(PARTNER, "redeem", await given(http, sheet, address, "summary"))
    assert status == 200
    asked: dict[str, Any] = {"msg_id": "tay-0001", "consent": got["consent"], "groups": ["summary"]}
    status, handed = hand(PARTNER, "POST", "/v1/partner/disclosures", json.dumps(asked))
    assert status == 200
    assert hand(PARTNER, "GET", "/.well-known/partner-keys.json")[1]["keys"]
    record = jwt.decode(handed["record"], options={"verify_signature": False})["record"]
    assert set(record) == {"schema", "summaries"}
    items = hand(CITIZEN, "GET", "/v1/me/connected-apps")[1]["items"]
    (one,) = (one for one in items if one["state"] == "live")
    assert hand(CITIZEN, "DELETE", f"/v1/me/connected-apps/{one['consent_id']}")[0] == 204
    status, refused = hand(PARTNER, "POST", "/v1/partner/disclosures", json.dumps(asked))
    assert (status, refused["code"]) == (403, "no-access")


async def test_a_partner_is_let_in_by_the_own_app(hand: Terminal, http: httpx.AsyncClient) -> None:
    visitor = Visitor(http)
    await visitor.open(hand.line(PARTNER, "connect", "history,summary", "--for", CITIZEN))
    await visitor.post("/connect/app")
    await visitor.get("/connect/app")
    code = visitor.code()
    status, asking = hand(CITIZEN, "POST", "/v1/me/app-requests/look", json.dumps({"code": code}))
    assert status == 200
    choice = {"code": code, "ticked": ["summary"], "days": asking["days"][0]}
    approve = f"/v1/me/app-requests/{asking['request_id']}/approve"
    status, agreed = hand(CITIZEN, "sign", approve, json.dumps(choice))
    assert status == 200
    await visitor.get("/connect/app")
    back = await visitor.post("/connect/finish", digits=agreed["digits"])
    status, got = hand(PARTNER, "redeem", back.headers["location"])
    assert (status, bool(got["consent"])) == (200, True)
    items = hand(CITIZEN, "GET", "/v1/me/connected-apps")[1]["items"]
    one = next(one for one in items if one["state"] == "live")
    assert one["groups"] == ["summary"]
    assert hand(CITIZEN, "sign", f"/v1/me/connected-apps/{one['consent_id']}/confirm")[0] == 200
    assert hand(CITIZEN, "DELETE", "/v1/me/connected-apps")[0] == 204


async def test_the_demo_s_app_is_chosen_and_renews_its_own_token(
    hand: Terminal, http: httpx.AsyncClient, sheet: DemoSheet, service: Service
) -> None:
    wanted = "launch/patient offline_access patient/Immunization.rs"
    address = hand.line(APP, "connect", wanted)
    status, got = hand(APP, "redeem", await given(http, sheet, address))
    assert status == 200
    assert got["patient"]
    held = service.data / "sessions" / f"{sheet.app_clients[1].client_id}.json"
    assert held.stat().st_mode & 0o077 == 0
    held.write_text(re.sub(r'"until":[0-9.]+', '"until":0', held.read_text()))
    # Its tokens are no citizen's: another door than its own stays shut, by a token that it renewed.
    assert hand(APP, "GET", "/v1/me")[0] in {401, 403}
    assert json.loads(held.read_text())["refresh_token"] != got["refresh_token"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((APP, "GET", "/fhir/Patient"), "Nobody let this app in"),
        ((PARTNER, "redeem", "https://doi-tac.example/ve?code=x"), "answers nothing that was asked last"),
        ((PARTNER, "sign", "/v1/me/share-links", "{}"), "holds no phone"),
        ((PARTNER, "connect", "everything"), "some of: administrative, history, encounters, summary"),
        ((PARTNER, "connect", "history", "--for", "nobody"), "is no citizen of the demo's sheet"),
        ((CITIZEN, "connect", "history"), "Only a partner or an app"),
    ],
)
def test_what_a_client_cannot_do_is_said_in_one_line(
    service: Service, sheet: DemoSheet, words: tuple[str, ...], said: str
) -> None:
    for client in sheet.app_clients:
        (service.data / "sessions" / f"{client.client_id}.json").unlink(missing_ok=True)
    done = run_command_with(environment(service.data, PORT=str(service.port)), "as", *words)
    assert done.returncode != 0
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
