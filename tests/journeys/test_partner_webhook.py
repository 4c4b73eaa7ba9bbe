"""Two operators enter a partner at the real server; a citizen lets it in and ends it, and the partner hears
of it, signed. No address of a test may be sent to (security.md S29), so the worker runs here, its way out
ends at a transport of the test, and everything before that is as it runs."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest

from healthbook.demo_sheet import DemoAppClient, DemoOperator, DemoSheet
from kernel.access import PARTNER_GROUPS
from kernel.clock import SystemClock
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import start_server
from tests.journeys.conftest import People
from tests.partners.webhooks.test_webhooks import ADDRESS, ENDED, House
from tests.support.client import Api
from tests.support.connecting import Wanting
from tests.support.letting_in import arrived, as_registered, http_at, origin_of, partner_of, redeem
from tests.support.oauth import key_of, public
from tests.support.service import Service, start_service
from tests.support.viewer import read_jws

REASON = "Ký kết nối số 7"
BACK = "https://partner.example.org/back"


@pytest.fixture(scope="module")
def service(place: Path) -> Iterator[Service]:
    """Without its worker: the one of this test hears of everything alone."""
    running = start_service(place, "--no-worker", workers=2)
    yield running
    running.stop()


@pytest.fixture
async def house(service: Service, place: Path) -> AsyncIterator[House]:
    running, keys = start_server(place / "postgres"), KeyRing.load(place / "keys")
    blobs = FilesystemBlobs(place / "blobs", keys)
    opened: list[Store] = [
        await open_store(running.dsn(role), role=role, keys=keys, blobs=blobs)
        for role in ("hb_api", "hb_delivery")
    ]
    yield House(opened[0], opened[1], SystemClock(), origin_of(service))
    for store in opened:
        await store.close()


def token_of(api: Api, card: DemoOperator) -> str:
    totp = pyotp.TOTP(card.totp_secret).at(datetime.now(UTC))
    body = {"username": card.username, "password": card.password, "totp": totp}
    token: str = api.ask("POST", "/v1/auth/operator/sign-in", 201, body=body)["access_token"]
    return token


def entered(api: Api, sheet: DemoSheet) -> DemoAppClient:
    """A partner that one operator proposed and the other one confirmed. The proposer cannot."""
    key = key_of()
    client = {
        "kind": "partner",
        "name": "Đối tác có tin báo",
        "holder": "Công ty Thử",
        "auth": "private_key_jwt",
        "jwks": public(key),
        "redirect_uris": [BACK],
        "groups_max": list(PARTNER_GROUPS),
        "webhook_uri": ADDRESS,
    }
    first, second = (token_of(api, one) for one in sheet.operators)
    body = {"reason": REASON, "client": client}
    change = api.ask("POST", "/v1/admin/app-clients", 202, token=first, body=body)["change_id"]
    confirm = f"/v1/admin/changes/{change}/confirm"
    assert api.ask("POST", confirm, 403, token=first) == "second-account-needed"
    made = api.ask("POST", confirm, 201, token=second)
    return DemoAppClient(
        client_id=made["created_id"],
        key="",
        kind="partner",
        name=client["name"],
        redirect_uri=BACK,
        private_key=json.dumps(key.as_dict(private=True)),
    )


async def test_a_partner_hears_that_a_consent_ended(
    service: Service, api: Api, sheet: DemoSheet, people: People, house: House
) -> None:
    client, citizen, app = entered(api, sheet), sheet.citizens[1], people.app(sheet.citizens[1].key)
    partner = partner_of(client, service)
    async with http_at(service) as http:
        wanting = Wanting(as_registered(client), scope="administrative summary")
        visitor = await arrived(http, partner, wanting)
        await visitor.prove(citizen)
        consent = (await redeem(http, partner, wanting, await visitor.agree("summary")))["consent"]
        (one,) = app.get("/v1/me/connected-apps")["items"]
        app.delete(f"/v1/me/connected-apps/{one['consent_id']}")
        await house.work()
        (request,), (token,) = house.far.came, house.far.bodies
        keys = (await http.get("/.well-known/partner-keys.json")).json()
    assert request.headers["content-type"] == "application/secevent+jwt"
    (read,) = read_jws([token], keys, ["ES256"])
    assert read["header"]["typ"] == "secevent+jwt"
    claims: dict[str, Any] = read["payload"]
    assert (claims["iss"], claims["aud"]) == (origin_of(service), client.client_id)
    assert claims["sub_id"] == {"format": "opaque", "id": consent}
    assert claims["events"] == {ENDED: {}}
    assert citizen.patient_id not in token
    await house.work()
    assert len(house.far.came) == 1
