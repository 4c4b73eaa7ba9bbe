"""What a document signer's certificate says (hcert-spec 1.0.8 §3.3.1; vaccination.md §5)."""

import base64
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from msgspec import Struct
from msgspec.structs import replace

from vaccination.hc1.claims import DEMO_COUNTRY
from vaccination.trust.models import TrustedKey, Use

# Both arcs are in use; the older one has a zero too many.
_ARCS: Final = ("1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1")
_USES: Final[tuple[Use, ...]] = ("t", "v", "r")
USE_OF_OID: Final[dict[str, Use]] = {
    f"{arc}.{number}": use for arc in _ARCS for number, use in enumerate(_USES, start=1)
}
# Greece signs as GR and writes EL; the United Kingdom once wrote UK.
_SAME: Final = {"EL": "GR", "UK": "GB"}
KID_BYTES: Final = 8


class CertificateError(Exception):
    """Not a certificate that can be read."""


class Certificate(Struct, frozen=True, kw_only=True):
    spki: bytes
    kid: str
    country: str | None
    uses: frozenset[Use] | None
    not_before: datetime
    not_after: datetime

    def trusted(self, kid: str | None = None, country: str | None = None, source: str = "file") -> TrustedKey:
        return TrustedKey(
            kid=kid or self.kid,
            purpose="hc1",
            spki=self.spki,
            country=self.country or country,
            uses=self.uses,
            not_before=self.not_before,
            not_after=self.not_after,
            source=source,
        )


def as_its_demo_takes(key: TrustedKey) -> TrustedKey:
    """A demo's keys are certified for test results, so that nobody else takes its vaccinations (security.md
    S4). The demo itself does."""
    return replace(key, uses=None) if key.country == DEMO_COUNTRY else key


def country_of(text: str) -> str:
    """Two letters in their one spelling."""
    return _SAME.get(text.upper(), text.upper())


def kid_of(certificate: bytes) -> str:
    """The first 8 bytes of the SHA-256 of the DER, in base64 with padding."""
    return base64.b64encode(sha256(certificate).digest()[:KID_BYTES]).decode()


def read_certificate(der: bytes) -> Certificate:
    """Raises CertificateError."""
    try:
        read = x509.load_der_x509_certificate(der)
        return Certificate(
            spki=read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            kid=kid_of(der),
            country=_country(read),
            uses=_uses(read),
            not_before=read.not_valid_before_utc,
            not_after=read.not_valid_after_utc,
        )
    except Exception as error:  # cryptography raises many kinds for what a stranger's bytes may hold
        raise CertificateError(type(error).__name__) from error


def _country(certificate: x509.Certificate) -> str | None:
    found = certificate.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    return country_of(str(found[0].value)) if found else None


def _uses(certificate: x509.Certificate) -> frozenset[Use] | None:
    """What it is limited to; None: to nothing, for it names none of the three."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        oids = {oid.dotted_string for oid in extension.value}
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        # One extension out of form (Finland's, a default written out) hides all of them from the library.
        oids = {oid for oid in USE_OF_OID if _oid_der(oid) in certificate.tbs_certificate_bytes}
    return frozenset(USE_OF_OID[oid] for oid in oids & USE_OF_OID.keys()) or None


def _oid_der(dotted: str) -> bytes:
    """An object identifier as X.690 §8.19 writes it."""
    first, second, *others = (int(part) for part in dotted.split("."))
    body = b""
    for number in (40 * first + second, *others):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | (number & 0x7F))
        body += bytes(reversed(septets))
    return bytes((6, len(body))) + body
