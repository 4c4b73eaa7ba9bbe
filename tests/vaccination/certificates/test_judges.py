"""Must show: what a person fetches, made by the signer over HTTP in both algorithms, before four verifiers
that others wrote (vaccination.md §11). A health card's is `jose` (tests/vaccination/shc/test_cards.py)."""

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.database import Store
from tests.support import peers
from tests.support.certifying import covid, days_ago, issued, make_station, send, text_of
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_citizen
from tests.support.record import our_id
from tests.support.signing_process import RunningSigner
from tests.support.viewer import read_certificates
from vaccination.hc1 import cose
from vaccination.signer.authority import PrivateKey, PublicKey, document_key
from vaccination.signer.enrolment import retire
from vaccination.signer.models import Algorithm

JUDGES = {
    "cwt": peers.judge,
    "pycose": peers.judge,
    "cose-kit": read_certificates,
    "@auth0/cose": read_certificates,
}
NUMBERS = {"ES256": cose.ES256, "PS256": cose.PS256}


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def published(client: httpx.AsyncClient, kid: bytes) -> str:
    """The key of that kid as a verifier gets it, from our own list."""
    answer = await client.get("/v1/public/certificates/keys")
    assert answer.status_code == 200, answer.text
    listed = answer.json()["certificates"]
    (raw,) = [one["rawData"] for one in listed if base64.b64decode(one["kid"]) == kid]
    certificate = x509.load_der_x509_certificate(base64.b64decode(raw))
    return pem_of(document_key(certificate.public_key()))


def make_key(alg: Algorithm) -> PrivateKey:
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def pem_of(key: PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def with_payload(text: str, old: bytes, new: bytes) -> str:
    """The same signature over another payload."""
    parsed = cose.unpack(text)
    assert old in parsed.payload
    return cose.pack(parsed.protected, parsed.payload.replace(old, new), parsed.signature)


@pytest.mark.parametrize("alg", ["ES256", "PS256"])
async def test_an_issued_certificate_is_accepted_and_a_changed_one_or_another_key_refused(
    client: httpx.AsyncClient,
    store: Store,
    owner: Store,
    clock: FrozenClock,
    signer: RunningSigner,
    alg: Algorithm,
) -> None:
    if alg == "PS256":
        # ES256 is taken where both are in use.
        async with owner.transaction() as tx:
            assert await retire(tx, signer.of("hc1", "ES256").key_id, clock.now())
    who = await make_citizen(store, clock, birth_date="1985-03-12")
    station = await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    made = await issued(client, who.token, our_id(station.name, "d"))
    text = await text_of(client, who.token, made["certificate_id"])
    parsed = cose.unpack(text)
    assert (parsed.alg, parsed.kid) == (NUMBERS[alg], signer.of("hc1", alg).kid)
    assert parsed.kid is not None
    key, theirs = await published(client, parsed.kid), pem_of(make_key(alg).public_key())
    changed = with_payload(text, b"1985-03-12", b"1985-03-13")
    asked = [(text, key, alg), (changed, key, alg), (text, theirs, alg)]
    for name, judge in JUDGES.items():
        assert judge(name, asked) == ["valid", "invalid", "invalid"], name
