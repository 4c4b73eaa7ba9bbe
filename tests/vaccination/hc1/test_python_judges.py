"""Must show: our ES256 and PS256 certificates, signed by the signer, accepted by `cwt` and `pycose`."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.dcc import signed_text
from tests.support.peers import judge
from tests.support.signing_process import RunningSigner
from vaccination.hc1 import cose
from vaccination.signer.models import Algorithm, DocumentSigner


def pem(key: DocumentSigner) -> str:
    public = x509.load_der_x509_certificate(key.certificate).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def with_payload(text: str, old: bytes, new: bytes) -> str:
    """The same signature over another payload."""
    parsed = cose.unpack(text)
    assert old in parsed.payload
    return cose.pack(parsed.protected, parsed.payload.replace(old, new), parsed.signature)


@pytest.mark.parametrize("name", ["cwt", "pycose"])
@pytest.mark.parametrize("alg", ["ES256", "PS256"])
async def test_our_certificates_are_accepted_and_changed_ones_refused(
    store: Store, signer: RunningSigner, clock: FrozenClock, name: str, alg: Algorithm
) -> None:
    key = signer.of("hc1", alg)
    text = await signed_text(store, signer, key, clock.now())
    changed = with_payload(text, b"1984-02-29", b"1985-02-28")
    assert judge(name, [(text, pem(key), alg), (changed, pem(key), alg)]) == ["valid", "invalid"]


@pytest.mark.parametrize("name", ["cwt", "pycose"])
async def test_a_certificate_under_another_key_is_refused(
    store: Store, signer: RunningSigner, clock: FrozenClock, name: str
) -> None:
    text = await signed_text(store, signer, signer.of("hc1"), clock.now())
    assert judge(name, [(text, pem(signer.of("shc")), "ES256")]) == ["invalid"]
