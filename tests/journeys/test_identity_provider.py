"""The demo's stand-in identity provider over the real server: others' client, and our own adapter."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from healthbook.demo_sheet import DemoSheet
from healthbook.identity_provider import DEMO_RETURN, issuer_of
from healthbook.settings import read_settings
from identity.verification.models import Started, Verified
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.clock import SystemClock, local_day
from kernel.problems import Refused
from partners.verifiers.oidc import OidcVerifier
from tests.journeys.conftest import People
from tests.support.phone import Phone
from tests.support.service import Service
from tests.support.verifying import Asking
from tests.support.viewer import sign_in_at

BACK = "http://127.0.0.1:4567/callback"


def test_a_client_of_others_signs_in_and_meets_each_wrong_answer(service: Service, sheet: DemoSheet) -> None:
    issuer, citizen = f"{service.base_url}/demo/identity", sheet.citizens[0]
    form = {"number": citizen.number, "level": "2", "decision": "allow"}
    read = sign_in_at(issuer, BACK, form)
    assert read.get("error") is None, read
    assert read["claims"]["so_dinh_danh"] == read["userinfo"]["so_dinh_danh"] == citizen.number
    assert read["claims"]["acr"] == "urn:mo-phong:muc-2"
    assert read["claims"]["name"] == citizen.name
    lower = sign_in_at(issuer, BACK, form | {"level": "1"})
    assert lower["claims"]["acr"] == "urn:mo-phong:muc-1"
    assert sign_in_at(issuer, BACK, form | {"decision": "deny"}) == {"error": "access_denied"}
    assert sign_in_at(issuer, BACK, form, wrong="verifier") == {"error": "invalid_grant"}
    assert sign_in_at(issuer, BACK, form, wrong="nonce") == {"error": "OAUTH_JWT_CLAIM_COMPARISON_FAILED"}


@pytest.mark.parametrize("level", [1, 2])
async def test_our_adapter_signs_in_through_either_server_process(
    service: Service, sheet: DemoSheet, level: int
) -> None:
    configured = issuer_of(read_settings({"PORT": str(service.port)}), demo=True)
    assert configured is not None
    verifier, citizen = OidcVerifier(configured), sheet.citizens[1]
    form = {"number": citizen.number, "level": str(level), "decision": "allow"}
    # Two API processes: what one made the other reads, and no code serves twice in both.
    for _ in range(6):
        begun, brought = await agreed(verifier, form)
        done = await verifier.finish(brought, begun.kept, SystemClock().now())
        assert isinstance(done, Verified)
        assert (done.level, done.number, done.name) == (level, citizen.number, citizen.name)
        assert isinstance(await verifier.finish(brought, begun.kept, SystemClock().now()), Refused)
    begun, brought = await agreed(verifier, form | {"decision": "deny"})
    no = await verifier.finish(brought, begun.kept, SystemClock().now())
    assert no == Refused(problem=VERIFICATION_REFUSED)
    await verifier.close()


async def agreed(verifier: OidcVerifier, form: dict[str, str]) -> tuple[Started, dict[str, str]]:
    begun = await verifier.start("a-state", SystemClock().now())
    assert isinstance(begun, Started)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.address).query).items()}
    async with httpx.AsyncClient() as browser:
        page = await browser.get(begun.address)
        assert "MÔ PHỎNG – không phải VNeID" in page.text
        done = await browser.post(begun.address.partition("?")[0], data=asked | form)
    brought = parse_qs(urlsplit(done.headers["location"]).query)
    return begun, {name: values[0] for name, values in brought.items()}


async def test_a_new_phone_opens_its_own_book_by_level_2_and_no_other(
    service: Service, sheet: DemoSheet
) -> None:
    """Start, page, way back, claim: over the server, as an app and its browser do it."""
    mine, other = sheet.citizens[2], sheet.citizens[3]
    async with httpx.AsyncClient(base_url=service.base_url) as client:
        for number, level, code in (
            (mine.number, "1", "verification-level-low"),
            (other.number, "2", "verification-refused"),
        ):
            assert await enrol(client, service, mine.number, number, level) == (403, code)
        assert (await enrol(client, service, mine.number, mine.number, "2"))[0] == 201


async def enrol(
    client: httpx.AsyncClient, service: Service, own: str, signed_in_as: str, level: str, **typed: str
) -> tuple[int, str]:
    phone = Phone()
    form = {"number": signed_in_as, "level": level} | typed
    proof = await proven(client, "/v1/auth/enrolments/start", form, {})
    device = msgspec.to_builtins(phone.new_device(proof["receipt"]))
    body = proof | {"number": own, "pin": "739204", "device": device}
    done = await client.post("/v1/auth/enrolments/finish", json=body)
    return done.status_code, done.json().get("code", "")


async def proven(
    client: httpx.AsyncClient, start: str, form: dict[str, str], headers: dict[str, str]
) -> dict[str, str]:
    """From the start to the browser's way back: receipt and secret."""
    asking = Asking()
    body = {"secret_challenge": asking.challenge, "return_to": DEMO_RETURN}
    begun = (await client.post(start, json=body, headers=headers)).json()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun["address"]).query).items()}
    sent = asked | form | {"decision": "allow"}
    page = await client.post(begun["address"].partition("?")[0], data=sent)
    # The way back names the host that the demo is opened by.
    back = await client.get(page.headers["location"].replace("localhost", "127.0.0.1"))
    assert back.headers["location"].startswith(f"{DEMO_RETURN}#receipt=")
    return {"receipt": back.headers["location"].partition("receipt=")[2], "secret": asking.kept}


async def test_a_parent_shows_by_level_2_whose_guardian_she_is(
    service: Service, sheet: DemoSheet, people: People
) -> None:
    """A child of eight has a book by its own e-ID; the provider names it as the mother's."""
    mother = next(one for one in sheet.citizens if one.key == "huong")
    child, born = "001218000999", date(local_day(SystemClock().now()).year - 8, 1, 2).isoformat()
    headers = {"Authorization": f"Bearer {people.app(mother.key).access_token}"}
    family = "/v1/me/family"
    async with httpx.AsyncClient(base_url=service.base_url) as client:
        typed = {"name": "Bé Mô Phỏng", "birth_date": born, "sex": "female"}
        assert await enrol(client, service, child, child, "2", **typed) == (201, "")

        async def link(**form: str) -> int | str:
            sent = {"number": mother.number, "level": "2", "children": child} | form
            proof = await proven(client, f"{family}/verification/start", sent, headers)
            done = await client.post(f"{family}/verification/finish", json=proof, headers=headers)
            return done.status_code if done.status_code < 400 else str(done.json()["code"])

        async def named() -> list[str]:
            listed = (await client.get(family, headers=headers)).json()["items"]
            return [one["name"] for one in listed if one["acts"] == "for-them"]

        assert await link(number=sheet.citizens[0].number) == "verification-refused"
        assert await link(level="1") == "verification-level-low"
        assert "Bé Mô Phỏng" not in await named()
        assert await link() == 204
        assert "Bé Mô Phỏng" in await named()
