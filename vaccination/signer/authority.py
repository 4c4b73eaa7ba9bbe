"""From the national authority to the signer of documents: certificates as vaccination.md §5 wants them.

The authority's key is used for a year and holds for four, a document signer's for six months and two years
(hcert-spec 1.0.8 §4): what was signed on the last day of a key's use still has its full year.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID, ObjectIdentifier

from vaccination.hc1.claims import COUNTRY, DEMO_COUNTRY
from vaccination.signer.ports import SignerPurpose

AUTHORITY_HOLDS: Final = timedelta(days=4 * 365)
AUTHORITY_USED: Final = timedelta(days=365)
SIGNER_HOLDS: Final = timedelta(days=2 * 365)
SIGNER_USED: Final = timedelta(days=183)
# Extended key usages of a document signer (the EU's trust network): vaccinations, and test results.
# A demo's keys have the latter: whoever heeds it takes no vaccination of theirs (security.md S4).
VACCINATION: Final = ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.2")
TEST: Final = ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.1")
# Of a health cards' key, so that it is none for certificates: documents (RFC 9336).
DOCUMENTS: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
RSA_BITS: Final = (2048, 3072)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class CertificateError(Exception):
    """A certificate or a request is not what it should be; the text says what."""


def make_authority(
    name: str, now: datetime, country: str = COUNTRY
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A signing authority of one's own. In a real installation the country's own does this."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name, country)
    draft = _draft(subject, subject, key.public_key(), now, AUTHORITY_HOLDS)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    draft = draft.add_extension(_usage(certifies=True), critical=True)
    return key, draft.add_extension(identifier, critical=False).sign(key, SHA256())


def make_request(key: PrivateKey, name: str, country: str = COUNTRY) -> x509.CertificateSigningRequest:
    """What the authority is asked to certify."""
    return x509.CertificateSigningRequestBuilder().subject_name(_name(name, country)).sign(key, SHA256())


def certify(
    request: x509.CertificateSigningRequest,
    purpose: SignerPurpose,
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    """A document signer's certificate; for trials where it is asked for a demo's country. Raises
    CertificateError."""
    if not request.is_signature_valid:
        raise CertificateError("the request is not signed by its own key")
    since = authority.not_valid_before_utc
    if not since <= now < since + AUTHORITY_USED or now + SIGNER_HOLDS > authority.not_valid_after_utc:
        raise CertificateError("the authority's key is past its use; make the next one")
    public = document_key(request.public_key())
    draft = _draft(request.subject, authority.subject, public, now, SIGNER_HOLDS)
    above = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
    draft = draft.add_extension(identifier, critical=False)
    draft = draft.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    draft = draft.add_extension(_usage(certifies=False), critical=True)
    signs = TEST if _countries(request.subject) == [DEMO_COUNTRY] else VACCINATION
    usage = x509.ExtendedKeyUsage([signs if purpose == "hc1" else DOCUMENTS])
    return draft.add_extension(usage, critical=False).sign(key, SHA256())


def check_certificate(
    certificate: x509.Certificate, purpose: SignerPurpose, authority: x509.Certificate, *, demo: bool
) -> PublicKey:
    """The document signer's key. Raises CertificateError where others would not accept it, or where it is a
    demo's and this is none, or the other way round (security.md S4)."""
    try:
        certificate.verify_directly_issued_by(authority)
        above = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        below = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise CertificateError("not issued by this authority, or an extension is missing") from error
    if below.key_identifier != above or not usage.digital_signature:
        raise CertificateError("the certificate names another authority, or its key may not sign")
    country = DEMO_COUNTRY if demo else COUNTRY
    if _countries(certificate.subject) != [country]:
        raise CertificateError(f"the certificate's country is not {country}")
    usages = extended_usage(certificate)
    if purpose == "hc1" and demo and usages != [TEST]:
        raise CertificateError("the certificate is not for tests alone, as a demo's are")
    if purpose == "hc1" and not demo and usages and VACCINATION not in usages:
        raise CertificateError("the certificate is not for vaccinations")
    return document_key(certificate.public_key())


@lru_cache(maxsize=64)
def country_of(certificate: bytes) -> str:
    """The one country of an enrolled certificate (DER)."""
    (country,) = _countries(x509.load_der_x509_certificate(certificate).subject)
    return country


def _countries(subject: x509.Name) -> list[str]:
    return [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)]


def extended_usage(certificate: x509.Certificate) -> Sequence[ObjectIdentifier]:
    """What the key is for; empty: anything."""
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []


def document_key(key: object) -> PublicKey:
    """P-256, or RSA of 2048 or 3072 bits. Raises CertificateError for any other."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS:
        return key
    raise CertificateError("the key is neither P-256 nor RSA of 2048 or 3072 bits")


def _name(common: str, country: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _draft(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, holds: timedelta
) -> x509.CertificateBuilder:
    since = now.astimezone(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + holds)
    )


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies,
        key_cert_sign=certifies,
        crl_sign=certifies,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
