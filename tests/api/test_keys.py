"""The published keys check what the service signs."""

from base64 import urlsafe_b64decode
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from consent.artefact import TYP
from qr import tokens
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of


async def test_a_code_is_checked_with_the_published_key_and_a_changed_one_is_not(
    store: Store, clock: FrozenClock
) -> None:
    now = clock.now()
    text = tokens.sign(store.keys, "doctor-request", {"request_id": "x"}, now + timedelta(minutes=1), now)
    async with client_of(store, clock) as client:
        answer = await client.get("/.well-known/qr-keys.json")
    pinned = {
        key["kid"]: Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))
        for key in answer.json()["keys"]
    }
    assert tokens.read_with(pinned, "doctor-request", text, now) == {"request_id": "x"}
    assert tokens.read_with({}, "doctor-request", text, now) != {"request_id": "x"}


async def test_an_artefact_is_checked_with_the_published_key_set(store: Store, clock: FrozenClock) -> None:
    key_id, private = store.keys.signer("consent-artefact")
    async with client_of(store, clock) as client:
        keys = KeySet.import_key_set((await client.get("/.well-known/consent-keys.json")).json())
    signer = ECKey.import_key(private_pem(private))
    signed = jws.serialize_compact({"alg": "ES256", "kid": key_id, "typ": TYP}, b"{}", signer)
    assert jws.deserialize_compact(signed, keys).payload == b"{}"


def private_pem(private: object) -> bytes:
    assert isinstance(private, EllipticCurvePrivateKey)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


async def test_no_private_part_is_published(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock) as client:
        for path in ("/.well-known/qr-keys.json", "/.well-known/consent-keys.json"):
            for key in (await client.get(path)).json()["keys"]:
                assert not {"d", "k", "p", "q"} & set(key)
