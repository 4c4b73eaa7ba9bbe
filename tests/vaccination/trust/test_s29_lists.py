"""S29 for lists of keys: a pinned signer, rising versions, a country's own keys alone, and a second operator
for what changes much. Whatever is refused, the last good list stays."""

import ast
import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.database import Store, Tx
from tests.support.hc1_texts import NOW, Signer, es256, hc1, ps256, with_entry
from tests.support.shared import shared
from tests.vaccination.verify.test_cards import PAYLOAD, card
from vaccination.shc.keys import thumbprint
from vaccination.trust import service
from vaccination.trust.models import Change
from vaccination.trust.readers import ListError, read_list
from vaccination.trust.seal import make_seal, read_seal
from vaccination.verify.service import verify

OWN_CARDS = "https://so.example/shc"
PUBLISHER = es256()
GERMAN = [es256(country="DE") for _ in range(20)]


def spki(signer: Signer) -> bytes:
    return signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def item(signer: Signer, country: str = "DE", **changes: Any) -> dict[str, Any]:
    return {
        "certificateType": "DSC",
        "country": country,
        "kid": signer.kid,
        "rawData": base64.b64encode(signer.certificate).decode(),
    } | changes


def listed(
    items: list[dict[str, Any]], version: int = 1, at: datetime = NOW, by: Signer = PUBLISHER
) -> bytes:
    """A list with its signature in the first line."""
    body = json.dumps({"certificates": items, "version": version, "issued_at": at.isoformat()}).encode()
    return base64.b64encode(by.sign(body)) + b"\n" + body


async def pinned(tx: Tx, name: str, publisher: Signer = PUBLISHER) -> None:
    await service.pin(tx, name, "eu", None, spki(publisher), 30)


async def load(tx: Tx, name: str, data: bytes, *, now: datetime = NOW, has_second: bool = False) -> Any:
    return await service.load(tx, name, data, None, now, has_second=has_second)


async def status(tx: Tx, signer: Signer, now: datetime = NOW) -> str:
    text = hc1(signer, with_entry(co="DE") | {1: "DE"})
    return (await verify(tx, text, OWN_CARDS, now)).status


@pytest.mark.parametrize("publisher", [PUBLISHER, ps256()], ids=["ES256", "PS256"])
async def test_s29_a_list_of_the_pinned_signer_counts(fresh_store: Store, publisher: Signer) -> None:
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu", publisher)
        assert await status(tx, GERMAN[0]) == "ISSUER_NOT_TRUSTED"
        change = await load(tx, "eu", listed([item(one) for one in GERMAN], by=publisher))
        assert isinstance(change, Change)
        assert (len(change.added), change.removed) == (20, ())
        assert await status(tx, GERMAN[0]) == "VERIFIED"


async def test_s29_what_another_signs_or_nobody_is_refused(fresh_store: Store) -> None:
    good = listed([item(one) for one in GERMAN])
    _, _, body = good.partition(b"\n")
    bent = good.replace(b'"version": 1', b'"version": 9')
    async with fresh_store.transaction() as tx:
        assert await load(tx, "eu", good) == "unknown-list"
        await pinned(tx, "eu")
        for data in (listed([item(GERMAN[0])], by=es256()), body, bent):
            assert await load(tx, "eu", data) == "not-signed"
        assert await status(tx, GERMAN[0]) == "ISSUER_NOT_TRUSTED"


async def test_s29_an_older_list_is_refused_and_the_last_good_one_stays(fresh_store: Store) -> None:
    items = [item(one) for one in GERMAN]
    later = NOW + timedelta(days=1)
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        assert isinstance(await load(tx, "eu", listed(items, 5)), Change)
        for data in (
            listed(items[:19], 4),
            listed(items[:19], 5),
            listed(items[:19], 6, NOW - timedelta(seconds=1)),
        ):
            assert await load(tx, "eu", data, now=later, has_second=True) == "not-newer"
        assert await load(tx, "eu", listed(items, 6, NOW + timedelta(days=2)), now=later) == "from-the-future"
        assert await load(tx, "eu", listed(items, 6), now=NOW + timedelta(days=31)) == "stale"
        assert await status(tx, GERMAN[19]) == "VERIFIED"
        (row,) = await service.lists(tx)
        assert row.version == 5


async def test_s29_eleven_percent_waits_for_a_second_operator_and_ten_does_not(fresh_store: Store) -> None:
    items = [item(one) for one in GERMAN]
    other = item(es256(country="DE"))
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        await load(tx, "eu", listed(items, 1))
        two_of_twenty = [*items[:19], other]
        three_of_twenty = [*items[:18], other]
        assert await load(tx, "eu", listed(three_of_twenty, 2)) == "needs-second"
        assert await status(tx, GERMAN[19]) == "VERIFIED", "the last good list stays"
        assert isinstance(await load(tx, "eu", listed(two_of_twenty, 3)), Change)
        assert await status(tx, GERMAN[19]) == "TERMINATED_KEYS"
        assert isinstance(await load(tx, "eu", listed(items[:10], 4), has_second=True), Change)
        assert await status(tx, GERMAN[10]) == "TERMINATED_KEYS"
        assert isinstance(await load(tx, "eu", listed(items, 5), has_second=True), Change)
        assert await status(tx, GERMAN[19]) == "VERIFIED", "it is back on the list"


async def test_s29_keys_of_our_own_country_wait_for_a_second_operator(fresh_store: Store) -> None:
    items = [item(one) for one in GERMAN]
    forged = es256(country="VN")
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        await load(tx, "eu", listed(items, 1))
        data = listed([*items, item(forged, "VN")], 2)
        assert await load(tx, "eu", data) == "needs-second"
        assert (await verify(tx, hc1(forged), OWN_CARDS, NOW)).status == "ISSUER_NOT_TRUSTED"
        assert isinstance(await load(tx, "eu", data, has_second=True), Change)
        assert await load(tx, "eu", listed(items, 3)) == "needs-second", "taking one off is a change too"


async def test_s29_a_key_of_another_country_refuses_the_whole_list(fresh_store: Store) -> None:
    french = es256(country="FR")
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        with pytest.raises(ListError, match="other-country"):
            await load(tx, "eu", listed([item(GERMAN[0]), item(french, "DE")]))
        with pytest.raises(ListError, match="kid"):
            await load(tx, "eu", listed([item(GERMAN[0], kid=french.kid)]))
        assert await status(tx, GERMAN[0]) == "ISSUER_NOT_TRUSTED"
        # Its certificate says FR, so what it signs as DE is of no trusted issuer.
        await load(tx, "eu", listed([item(french, "FR")]))
        assert await status(tx, french) == "ISSUER_NOT_TRUSTED"


async def test_s29_past_its_age_a_list_is_stale_and_nothing_on_it_verified(fresh_store: Store) -> None:
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        await load(tx, "eu", listed([item(GERMAN[0])]))
        assert await status(tx, GERMAN[0], NOW + timedelta(days=30)) == "VERIFIED"
        assert await status(tx, GERMAN[0], NOW + timedelta(days=30, seconds=1)) == "TRUST_DATA_STALE"


async def test_s29_a_key_that_operators_revoked_comes_back_with_no_list(fresh_store: Store) -> None:
    items = [item(one) for one in GERMAN]
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu")
        await load(tx, "eu", listed(items, 1))
        assert await service.revoke_key(tx, "eu", GERMAN[0].kid)
        assert not await service.revoke_key(tx, "other", GERMAN[0].kid)
        assert await status(tx, GERMAN[0]) == "REVOKED_KEYS"
        await load(tx, "eu", listed(items, 2))
        assert await status(tx, GERMAN[0]) == "REVOKED_KEYS"


async def test_s29_a_list_pinned_anew_counts_once_its_new_signer_has_signed_it(fresh_store: Store) -> None:
    thief, new = PUBLISHER, es256()
    items = [item(one) for one in GERMAN]
    async with fresh_store.transaction() as tx:
        await pinned(tx, "eu", thief)
        await load(tx, "eu", listed(items, 10**9, by=thief))
        await service.revoke_key(tx, "eu", GERMAN[1].kid)
        await service.pin(tx, "eu", "eu", None, spki(thief), 20)
        assert await status(tx, GERMAN[0]) == "VERIFIED", "the same signer: only the age is another"
        await pinned(tx, "eu", new)
        assert await status(tx, GERMAN[0]) == "TERMINATED_KEYS"
        (row,) = await service.lists(tx)
        assert (row.version, row.sha256, row.issued_at, row.loaded_at, row.fresh_until) == (0, *[None] * 4)
        assert await load(tx, "eu", listed(items, 10**9 + 1, by=thief)) == "not-signed"
        assert isinstance(await load(tx, "eu", listed(items, 1, by=new), has_second=True), Change)
        assert await status(tx, GERMAN[0]) == "VERIFIED"
        assert await status(tx, GERMAN[1]) == "REVOKED_KEYS"


def test_s29_a_did_list_speaks_for_the_country_that_it_names() -> None:
    x5c = [base64.b64encode(GERMAN[0].certificate).decode()]

    def document(name: str) -> bytes:
        method = {"id": f"did:web:x:v2:trustlist:{name}", "publicKeyJwk": {"kty": "EC", "x5c": x5c}}
        return json.dumps({"verificationMethod": [method]}).encode()

    for name in ("-:DEU:DSC#1", "DCC:DEU:DSC#1", "-:-:DSC#1", "#1", "-:XXK:DSC#1"):
        assert [key.country for key in read_list(document(name)).keys] == ["DE"], name
    with pytest.raises(ListError, match="other-country"):
        read_list(document("-:VNM:DSC#1"))
    x5c[0] = base64.b64encode(es256(country=None).certificate).decode()
    assert [read_list(document(name)).keys[0].country for name in ("-:DEU:DSC#1", "-:-:DSC#1")] == [
        "DE",
        None,
    ]


async def test_s29_a_form_without_a_signature_of_its_own_needs_a_seal(fresh_store: Store) -> None:
    method = {
        "id": "did:web:lists.example:v2:trustlist:-:DEU:DSC#1",
        "type": "JsonWebKey2020",
        "publicKeyJwk": {"kty": "EC", "x5c": [base64.b64encode(GERMAN[0].certificate).decode()]},
    }
    data = json.dumps({"id": "did:web:lists.example", "verificationMethod": [method]}).encode()
    seal = make_seal("who", data, 1, NOW, PUBLISHER.sign)
    encoded = {
        "good": seal,
        "of another file": make_seal("who", data + b" ", 1, NOW, PUBLISHER.sign),
        "of another list": make_seal("eu", data, 1, NOW, PUBLISHER.sign),
        "by another": make_seal("who", data, 1, NOW, es256().sign),
    }
    async with fresh_store.transaction() as tx:
        await service.pin(tx, "who", "did", None, spki(PUBLISHER), 30)
        assert await service.load(tx, "who", data, None, NOW, has_second=True) == "not-signed"
        for which, one in sorted(encoded.items(), reverse=True):
            raw = _json(one)
            assert read_seal(raw) == one
            found = await service.load(tx, "who", data, raw, NOW, has_second=True)
            assert isinstance(found, Change) == (which == "good"), which
        assert await service.load(tx, "who", data, b"{}", NOW, has_second=True) == "not-signed"
        assert await status(tx, GERMAN[0]) == "VERIFIED"


async def test_s29_no_list_gives_our_own_issuer_of_cards_another_key(fresh_store: Store) -> None:
    signer = es256()
    point = signer.key.public_key().public_numbers()
    assert isinstance(point, EllipticCurvePublicNumbers)
    x, y = (base64url(value.to_bytes(32)) for value in (point.x, point.y))
    jwk = {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "x": x, "y": y}
    data = json.dumps({"keys": [jwk | {"kid": thumbprint(x, y)}]}).encode()
    header = {"zip": "DEF", "alg": "ES256", "kid": thumbprint(x, y)}
    async with fresh_store.transaction() as tx:
        for name, issuer, wanted in (
            ("ours", OWN_CARDS, "ISSUER_NOT_TRUSTED"),
            ("b", "https://b", "VERIFIED"),
        ):
            await service.pin(tx, name, "jwks", issuer, spki(PUBLISHER), 30)
            seal = _json(make_seal(name, data, 1, NOW, PUBLISHER.sign))
            assert isinstance(await service.load(tx, name, data, seal, NOW, has_second=False), Change)
            text = card(signer, PAYLOAD | {"iss": issuer}, header)
            assert (await verify(tx, text, OWN_CARDS, NOW)).status == wanted


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json(seal: Any) -> bytes:
    return msgspec.json.encode(seal)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b"[7]",
        b'{"certificates": 7}',
        b'{"certificates": [{"certificateType": "DSC"}]}',
        b'{"verificationMethod": [7]}',
        b'{"verificationMethod": [{"id": "a", "publicKeyJwk": {"x5c": ["nothing"]}}]}',
        b'{"keys": [7]}',
        b'{"keys": [{"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "x": 1, "y": 2}]}',
        b'{"a": "bm90aGluZw=="}',
        b"[" * 200_000,
        b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n",
        b"A" * 100 + b"\n[]",
        b"\xff\xfe",
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_s29_what_is_no_list_is_refused_with_a_reason_and_no_other_error(data: bytes) -> None:
    with pytest.raises(ListError):
        read_list(data)


def test_the_public_forms_are_read() -> None:
    keys = read_list(shared("data/dgc/trust_testdata.json").read_bytes())
    assert (keys.form, len(keys.keys)) == ("plain", 42)
    cards = read_list(shared("data/shc/spec-issuer.jwks.json").read_bytes())
    assert (cards.form, {key.purpose for key in cards.keys}) == ("jwks", {"shc"})
    assert cards.crl_versions


def test_s29_no_address_out_of_a_certificate_or_a_list_is_ever_fetched() -> None:
    """Nothing here can: the one way out is store.egress, and neither it nor a client of HTTP is imported."""
    root = Path(service.__file__).parents[1]
    names: set[str] = set()
    for folder in ("trust", "verify", "revocation", "hc1"):
        for path in (root / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add(node.module or "")
    assert not {
        name for name in names if name.split(".")[0] in ("httpx", "urllib", "socket", "requests", "http")
    }
    assert "store.egress" not in names
