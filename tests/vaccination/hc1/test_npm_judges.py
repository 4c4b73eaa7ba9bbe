"""Our HC1 certificates of both algorithms before two verifiers that others wrote (vaccination.md §11)."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.clock import START
from tests.support.viewer import read_certificates
from vaccination.hc1 import claims, cose

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
CLAIMS = claims.cwt(
    claims.dcc_map(
        claims.Name(fn="Nguyễn", fnt="NGUYEN", gn="Bảo Duy", gnt="BAO<DUY"),
        "1995-01-01",
        claims.Vaccination(
            vp="1119349007",
            mp="EU/1/20/1528",
            ma="ORG-100030215",
            dn=2,
            sd=2,
            dt=START.date(),
            is_="Bộ Y tế",
            ci="URN:UVCI:01:VN:0A1B2C3D4E5F",
        ),
    ),
    START,
    START,
)


def es256(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def ps256(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def certificate(key: Key, alg: int, sign: Callable[..., bytes], payload: bytes = CLAIMS) -> str:
    """Signed over CLAIMS whatever it carries."""
    protected = cose.protected_header(alg, b"8 bytes!")
    return cose.pack(protected, payload, sign(key, cose.to_be_signed(protected, CLAIMS)))


def pem(key: Key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("judge", ["cose-kit", "@auth0/cose"])
@pytest.mark.parametrize("alg", ["ES256", "PS256"])
def test_our_certificates_are_accepted_and_changed_ones_refused(judge: str, alg: str) -> None:
    def made() -> Key:
        return (
            ec.generate_private_key(ec.SECP256R1())
            if alg == "ES256"
            else rsa.generate_private_key(65537, 2048)
        )

    key, other = made(), made()
    how = (cose.ES256, es256) if alg == "ES256" else (cose.PS256, ps256)
    asked = [
        (certificate(key, *how), pem(key), alg),
        (certificate(key, *how), pem(other), alg),
        (certificate(key, *how, CLAIMS.replace(b"1995", b"1994")), pem(key), alg),
    ]
    assert read_certificates(judge, asked) == ["valid", "invalid", "invalid"]
