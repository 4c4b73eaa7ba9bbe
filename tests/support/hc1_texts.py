"""Certificates of any shape, well-formed or not, with keys of the test's own."""

import base64
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from qr import base45
from vaccination.hc1.cose import to_be_signed
from vaccination.trust.certificates import kid_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ISSUED = int((NOW - timedelta(days=10)).timestamp())
EXPIRES = int((NOW + timedelta(days=300)).timestamp())
ENTRY = {
    "tg": "840539006",
    "vp": "J07BX03",
    "mp": "EU/1/21/1529",
    "ma": "ORG-100001699",
    "dn": 2,
    "sd": 2,
    "dt": "2026-03-18",
    "co": "VN",
    "is": "Trạm y tế xã A",
    "ci": "URN:UVCI:01:VN:ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
CONTENT: dict[str, Any] = {
    "ver": "1.3.0",
    "nam": {"fn": "Nguyễn", "fnt": "NGUYEN", "gn": "Bảo Duy", "gnt": "BAO<DUY"},
    "dob": "1983-10-10",
    "v": [ENTRY],
}
CLAIMS: dict[Any, Any] = {1: "VN", 4: EXPIRES, 6: ISSUED, -260: {1: CONTENT}}


class Signer:
    """A document signer with a certificate that it signed itself. uses: OIDs of its key usage."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        country: str | None = "VN",
        uses: tuple[str, ...] = (),
        until: datetime = NOW + timedelta(days=600),
    ) -> None:
        self.key = key
        names = [x509.NameAttribute(NameOID.COMMON_NAME, "signer")]
        if country is not None:
            names.append(x509.NameAttribute(NameOID.COUNTRY_NAME, country))
        name = x509.Name(names)
        built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        built = built.not_valid_before(NOW - timedelta(days=100)).not_valid_after(until)
        if uses:
            oids = [x509.ObjectIdentifier(one) for one in uses]
            built = built.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
        self.certificate = built.sign(key, SHA256()).public_bytes(Encoding.DER)
        self.kid = kid_of(self.certificate)

    @classmethod
    def of(cls, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, certificate: bytes) -> "Signer":
        """One that somebody else certified."""
        made = cls.__new__(cls)
        made.key, made.certificate, made.kid = key, certificate, kid_of(certificate)
        return made

    @property
    def algorithm(self) -> int:
        return -7 if isinstance(self.key, ec.EllipticCurvePrivateKey) else -37

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
            return self.key.sign(data, pss, SHA256())
        size = (self.key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(size) + s.to_bytes(size)


def es256(**options: Any) -> Signer:
    return Signer(ec.generate_private_key(ec.SECP256R1()), **options)


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def ps256(**options: Any) -> Signer:
    return Signer(_rsa_key(), **options)


def cose_of(
    signer: Signer,
    claims: Any = ...,
    *,
    protected: Mapping[Any, Any] | None = None,
    unprotected: Mapping[Any, Any] | None = None,
    tags: tuple[int, ...] = (18,),
) -> bytes:
    """A signed envelope. claims: bytes go in as they are. tags: from the outermost."""
    head = cbor2.dumps({1: signer.algorithm, 4: kid_bytes(signer)} if protected is None else dict(protected))
    whole = CLAIMS if claims is ... else claims
    payload = whole if isinstance(whole, bytes) else cbor2.dumps(whole)
    signature = signer.sign(to_be_signed(head, payload))
    item: Any = [head, dict(unprotected or {}), payload, signature]
    for tag in reversed(tags):
        item = cbor2.CBORTag(tag, item)
    return cbor2.dumps(item)


def text_of(data: bytes, level: int = 9) -> str:
    return "HC1:" + base45.encode(zlib.compress(data, level))


def hc1(signer: Signer, claims: Any = ..., **options: Any) -> str:
    return text_of(cose_of(signer, claims, **options))


def kid_bytes(signer: Signer) -> bytes:
    return base64.b64decode(signer.kid)


def with_entry(**changes: Any) -> dict[Any, Any]:
    """Claims whose dose says something else."""
    return CLAIMS | {-260: {1: CONTENT | {"v": [ENTRY | changes]}}}


def with_entries(*entries: dict[str, Any]) -> dict[Any, Any]:
    """Claims of these doses."""
    return CLAIMS | {-260: {1: CONTENT | {"v": list(entries)}}}
