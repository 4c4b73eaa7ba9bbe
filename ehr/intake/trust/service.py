"""The register of facilities' certificates, and what is noted about a unit as it is taken in."""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ehr.intake.models import Unit, reject
from ehr.intake.signature import TrustedCertificate
from ehr.intake.trust import queries
from identity.register.facilities import facility_by_code
from kernel.clock import VIETNAM
from kernel.ids import uuid7
from store.database import Tx

CERTIFICATE_BYTES_MAX: Final = 32 * 1024
RSA_BITS_MIN: Final = 2048


async def is_newest(tx: Tx, id_hash: bytes, unit: Unit, credential: str, now: datetime) -> bool:
    """Whether no later version of the document was taken in; it is then the newest."""
    if unit.version is None:
        return True
    return await queries.TAKE_VERSION.one(tx, id_hash, unit.version, credential, now) is not None


async def forget_versions(tx: Tx, credentials: list[str], since: datetime) -> int:
    """Of documents that came last by these credentials since then any version is taken in next. How many."""
    return len(await queries.FORGET_VERSIONS.all(tx, credentials, since))


async def keep_signature(tx: Tx, id_hash: bytes, unit: Unit, now: datetime) -> None:
    """Keep verdict, digest and block beside the unit; of another file's resend the last ones count."""
    facts = unit.signature
    if facts is None:
        return
    await queries.KEEP_SIGNATURE.run(
        tx, id_hash, facts.digest, facts.status, facts.reason, facts.certificate_sha256, now
    )
    if facts.block is not None:
        await queries.KEEP_BLOCK.run(tx, facts.digest, facts.block, now)


async def certificates_of(tx: Tx, facility_id: UUID) -> list[TrustedCertificate]:
    """The certificates that count for a facility, the expired ones too: they make a verdict, not a pass."""
    rows = await queries.CERTIFICATES_OF_FACILITY.all(tx, facility_id)
    return [TrustedCertificate(row.der, row.required) for row in rows]


async def add_certificate(tx: Tx, code: str, data: bytes, now: datetime, *, required: bool) -> UUID:
    """Register a certificate (PEM or DER) for the facility of a code.

    Raises BadInputError: unknown-facility, bad-certificate, weak-key, certificate-expired.
    """
    facility = await facility_by_code(tx, code, now.astimezone(VIETNAM).date())
    if facility is None:
        raise reject("unknown-facility", "facility")
    certificate = _read(data)
    if certificate.not_valid_after_utc <= now:
        raise reject("certificate-expired", "certificate")
    der, certificate_id = certificate.public_bytes(Encoding.DER), uuid7(now)
    await queries.INSERT_CERTIFICATE.run(
        tx,
        certificate_id,
        facility.facility_id,
        hashlib.sha256(der).digest(),
        der,
        required,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        now,
    )
    return certificate_id


def told_of(data: bytes) -> str:
    """What is compared with the facility: SHA-256 fingerprint, subject, end of validity. For data that was
    registered."""
    certificate = _read(data)
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    subject, end = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
    return f"SHA-256 {digest}\nsubject {subject}\nvalid until {end:%Y-%m-%d %H:%M} UTC"


def _read(data: bytes) -> x509.Certificate:
    if len(data) > CERTIFICATE_BYTES_MAX:
        raise reject("bad-certificate", "certificate")
    pem = b"-----BEGIN" in data
    try:
        read = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
        certificate = read(data)
        key = certificate.public_key()
    except ValueError:
        raise reject("bad-certificate", "certificate") from None
    strong = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1")
    if not strong and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN):
        raise reject("weak-key", "certificate")
    return certificate


async def end_certificate(tx: Tx, certificate_id: UUID, now: datetime) -> bool:
    """Whether it counted until now."""
    return await queries.END_CERTIFICATE.one(tx, certificate_id, now) is not None
