"""The public routes: verifying for anybody, and the lists that verifiers without a network keep."""

import base64
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from identity import budgets
from store.database import Store
from tests.support.clock import START, FrozenClock
from tests.support.hc1_texts import CLAIMS, ENTRY, Signer, es256, hc1
from tests.support.http import client_of
from tests.support.signing_process import enrol_keys
from vaccination.revocation import service as revocation
from vaccination.revocation.hashes import card_hashes
from vaccination.revocation.models import Hashes
from vaccination.signer.key_files import SignerKeys
from vaccination.trust.readers import read_list
from vaccination.verify.hc1 import read
from vaccination.verify.judging import judge
from vaccination.verify.offline import Files

VERIFY = "/v1/public/certificates/verify"
LISTS = "/v1/public/certificates/revocations"
KEYS = "/v1/public/certificates/keys"
YEAR = timedelta(days=365)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def signers(owner: Store, clock: FrozenClock, tmp_path: Path) -> list[Signer]:
    """Our own two, with their private halves."""
    enrolled = await enrol_keys(owner, tmp_path / "keys", clock.now(), 100)
    held = SignerKeys.load(tmp_path / "keys")
    pairs = [
        (held.key(one.key_id), one.certificate) for (purpose, _), one in enrolled.items() if purpose == "hc1"
    ]
    return [Signer.of(key, certificate) for key, certificate in pairs]


async def verified(client: httpx.AsyncClient, text: str) -> dict[str, Any]:
    response = await client.post(VERIFY, json={"text": text})
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


def path_of(kid: str) -> str:
    return kid.rstrip("=").replace("+", "-").replace("/", "_")


async def test_our_own_certificates_verify_for_anybody(
    client: httpx.AsyncClient, signers: list[Signer]
) -> None:
    for signer in signers:
        shown = await verified(client, hc1(signer))
        assert (shown["status"], shown["trust"]) == ("VERIFIED", "own")
        assert [step["outcome"] for step in shown["steps"] if step["name"] == "revocation"] == ["passed"]
        assert shown["holder"]["family_name"] == "Nguyễn"
    assert (await verified(client, hc1(es256())))["status"] == "ISSUER_NOT_TRUSTED"


async def test_a_revoked_certificate_is_revoked_here_and_offline(
    client: httpx.AsyncClient, store: Store, signers: list[Signer], clock: FrozenClock
) -> None:
    signer = signers[0]
    first, second = hc1(signer), hc1(signer, CLAIMS | {1: "VN", -260: {1: CLAIMS[-260][1] | {"dob": "1990"}}})
    for text in (first, second):
        assert (await verified(client, text))["status"] == "VERIFIED"
    only: Hashes = {"signature": read(first).hashes[0]["signature"]}
    async with store.transaction() as tx:
        await revocation.revoke(tx, signer.kid, only, clock.now() + YEAR, clock.now())
    assert (await verified(client, first))["status"] == "REVOKED"
    assert (await verified(client, second))["status"] == "VERIFIED", "the other certificate of that number"

    files = Files()
    files.add((await client.get(KEYS)).content, timedelta(days=30))
    files.add((await client.get(f"{LISTS}/{path_of(signer.kid)}")).content, timedelta(days=30))
    for text, status in ((first, "REVOKED"), (second, "VERIFIED")):
        assert judge(read(text), files.known(read(text)), clock.now()).status == status
    late = clock.now() + timedelta(days=40)
    assert judge(read(second), files.known(read(second)), late).status == "TRUST_DATA_STALE"


async def test_a_list_of_a_key_comes_in_pages_and_changes_with_its_entries(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kid = base64.b64encode(b"\xff\xfe\xfd12345").decode()
    monkeypatch.setattr(revocation, "PAGE", 4)
    async with store.transaction() as tx:
        for number in range(5):
            hashes: Hashes = {"uci": bytes([number] * 16), "signature": bytes([100 + number] * 16)}
            await revocation.revoke(tx, kid, hashes, clock.now() + YEAR, clock.now())
    seen: list[str] = []
    after: str | None = None
    files = Files()
    for size in (4, 4, 2):
        assert files.revocations_of(kid).is_whole is False
        query: dict[str, str] = {} if after is None else {"after": after}
        response = await client.get(f"{LISTS}/{path_of(kid)}", params=query)
        files.add(response.content, timedelta(days=30))
        page = response.json()
        assert (page["behind"], page["issued_at"]) == (after, "2026-11-21T00:00:00Z")
        values = [value for listed in page["hashes"].values() for value in listed]
        assert (len(values), page["kid"], page["changes"]) == (size, kid, 5)
        seen += values
        after = page["after"]
    assert after is None
    assert files.revocations_of(kid).is_whole
    assert len(set(seen)) == 10
    heads = (await client.get(LISTS)).json()["lists"]
    assert [one["changes"] for one in heads if one["kid"] == kid] == [5]


async def test_lists_are_kept_by_their_etag_until_they_change(
    client: httpx.AsyncClient, store: Store, signers: list[Signer], clock: FrozenClock
) -> None:
    kid = signers[0].kid
    async with store.transaction() as tx:
        await revocation.revoke(tx, kid, card_hashes("x"), None, clock.now())
    for path in (KEYS, LISTS, f"{LISTS}/{path_of(kid)}"):
        first = await client.get(path)
        assert first.headers["cache-control"] == "public, max-age=300"
        held = {"If-None-Match": first.headers["etag"]}
        assert (await client.get(path, headers=held)).status_code == 304
    async with store.transaction() as tx:
        await revocation.revoke(tx, kid, card_hashes("y"), None, clock.now())
    changed = await client.get(f"{LISTS}/{path_of(kid)}", headers=held)
    assert (changed.status_code, changed.json()["hashes"]) == (200, {"rid": ["x", "y"]})


async def test_an_unknown_key_has_no_list_and_a_wrong_page_is_no_page(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    async with store.transaction() as tx:
        await revocation.revoke(tx, "known", card_hashes("x"), None, clock.now())
    missing = await client.get(f"{LISTS}/unknown")
    assert (missing.status_code, missing.json()["code"]) == (404, "revocation-list-not-found")
    for after in ("x", "uci.zz", "other.00", ".", "uci"):
        response = await client.get(f"{LISTS}/known", params={"after": after})
        assert response.status_code == (200 if after == "uci" else 400), after


@pytest.mark.parametrize("kid", ["%00", "a%00bcdefghij", "%C3%A9", "a.b", "x" * 65, "%20", "known%0A"])
async def test_what_is_no_kid_has_no_list_either(client: httpx.AsyncClient, kid: str) -> None:
    missing = await client.get(f"{LISTS}/{kid}")
    assert (missing.status_code, missing.json()["code"]) == (404, "revocation-list-not-found")


async def test_our_list_of_keys_is_in_the_form_that_verifiers_import(
    client: httpx.AsyncClient, signers: list[Signer]
) -> None:
    listed = read_list((await client.get(KEYS)).content)
    assert listed.form == "eu"
    assert {signer.kid for signer in signers} <= {key.kid for key in listed.keys}
    assert {key.country for key in listed.keys} == {"VN"}
    assert listed.issued_at == START.replace(hour=0)


async def test_s33_a_network_verifies_so_often_an_hour_and_is_told_when_again(
    client: httpx.AsyncClient, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(budgets.CERTIFICATE_CHECKS, limit=3, kind="certificate-check-few")
    monkeypatch.setattr(budgets, "CERTIFICATE_CHECKS", few)
    codes = [(await client.post(VERIFY, json={"text": "HC1:A"})) for _ in range(4)]
    assert [response.status_code for response in codes] == [200, 200, 200, 429]
    assert int(codes[-1].headers["retry-after"]) > 0
    clock.advance(hours=2)
    assert (await client.post(VERIFY, json={"text": "HC1:A"})).status_code == 200


async def test_s34_nothing_of_a_certificate_is_logged_or_kept(
    client: httpx.AsyncClient,
    owner: Store,
    signers: list[Signer],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    text = hc1(signers[0])
    assert (await verified(client, text))["status"] == "VERIFIED"
    written = caplog.text + "".join(capfd.readouterr())
    for secret in ("Nguyễn", "NGUYEN", "Bảo Duy", str(ENTRY["ci"]), "1983-10-10", text[4:60]):
        assert secret not in written
    async with owner.transaction() as tx:
        tables = [
            row[0]
            for row in await tx.fetch(
                "SELECT relname::text FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            )
        ]
        for table in tables:
            rows = await tx.fetch(f"SELECT t::text FROM {table} t WHERE t::text LIKE $1", f"%{ENTRY['ci']}%")
            assert rows == [], table


@pytest.mark.parametrize(
    "text", ["", "HC1:", "shc:/" + "9" * 9000, "é" * 4000, "eyJ.eyJ.eyJ", "\u2028" * 100]
)
async def test_any_text_is_answered_with_a_verdict(client: httpx.AsyncClient, text: str) -> None:
    shown = await verified(client, text)
    assert shown["status"] not in ("VERIFIED",)
    assert len(shown["steps"]) == 13


@pytest.mark.parametrize(
    "body", [{}, {"text": 7}, {"text": None}, {"text": "x" * 10_001}, {"text": "x", "more": 1}, [], "x"]
)
async def test_a_body_of_another_shape_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    response = await client.post(
        VERIFY, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400


async def test_a_kid_with_a_nul_reaches_no_database(client: httpx.AsyncClient) -> None:
    from tests.vaccination.verify.test_cards import card

    header = {"alg": "ES256", "zip": "DEF", "kid": "a\0b"}
    assert (await verified(client, card(es256(), header=header)))["status"] == "ISSUER_NOT_TRUSTED"
