"""Each key's token offered to every other verifier (security.md S28): refused, whatever is trusted there."""

from datetime import timedelta
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

from consent.artefact import TYP
from kernel.problems import Refused
from qr import tokens
from store.database import Store
from store.keys import KeyRing
from tests.support.clock import FrozenClock
from tests.support.dcc import ask, base64url, health_card_bytes, signed_text
from tests.support.signing_process import RunningSigner
from vaccination.signer.key_files import thumbprint
from vaccination.trust.models import TrustedKey
from vaccination.verify import cards, hc1
from vaccination.verify.judging import Known, judge


def trusted(kid: str, public: object) -> Known:
    """The worst case: the key is on the lists of certificates and of health cards by mistake."""
    assert isinstance(public, ec.EllipticCurvePublicKey)
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Known(
        keys=(
            TrustedKey(kid=kid, purpose="hc1", spki=spki, country="VN"),
            TrustedKey(kid=kid, purpose="shc", spki=spki, issuer="https://so.example/shc"),
        )
    )


async def test_s28_a_consents_token_is_no_certificate_and_no_health_card(
    keys: KeyRing, clock: FrozenClock
) -> None:
    _, private = keys.signer("consent-artefact")
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    kid = thumbprint(private.public_key())
    payload = b'{"iss":"https://so.example/shc","v":"1"}'
    for header in ({"alg": "ES256", "kid": kid, "typ": TYP}, {"alg": "ES256", "kid": kid}):
        token = jws.serialize_compact(header, payload, ECKey.import_key(private))  # type: ignore[arg-type]
        for read in (cards.read, hc1.read):
            verdict = judge(read(token), trusted(kid, private.public_key()), clock.now())
            assert verdict.status != "VERIFIED"


async def test_s28_a_certificate_and_a_health_card_are_no_code_of_ours_and_not_one_another(
    store: Store, signer: RunningSigner, keys: KeyRing, clock: FrozenClock
) -> None:
    key, card_key = signer.of("hc1"), signer.of("shc")
    certificate = await signed_text(store, signer, key, clock.now())
    to_sign = health_card_bytes(card_key, clock.now())
    issuance, person = await ask(store, card_key, to_sign, clock.now())
    signature = await signer.sign(issuance, person, card_key.key_id, "jws", to_sign)
    card = (to_sign + b"." + base64url(signature)).decode()
    for token in (certificate, card):
        for kind in get_args(tokens.Kind):
            assert isinstance(tokens.read(keys, kind, token, clock.now()), Refused)
    for signed, read, right in ((key, cards.read, certificate), (card_key, hc1.read, card)):
        public = x509.load_der_x509_certificate(signed.certificate).public_key()
        known = trusted(signed.kid_text, public)
        assert judge(read(right), known, clock.now()).status != "VERIFIED"
    own = trusted(key.kid_text, x509.load_der_x509_certificate(key.certificate).public_key())
    assert judge(hc1.read(certificate), own, clock.now()).status == "VERIFIED"


@pytest.mark.parametrize("kind", get_args(tokens.Kind))
def test_s28_a_code_of_ours_is_no_certificate(keys: KeyRing, clock: FrozenClock, kind: tokens.Kind) -> None:
    text = tokens.sign(keys, kind, {"k": "v"}, clock.now() + timedelta(minutes=1), clock.now())
    for told in (text, "HC1:" + text.removeprefix(tokens.PREFIX)):
        assert judge(hc1.read(told), Known(), clock.now()).status != "VERIFIED"
        assert not hc1.read(told).is_whole
