"""All SQL of certificates, verdicts and versions."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement

# Nothing is returned when a later version was taken in before.
TAKE_VERSION = Scalar(
    int,
    """
    INSERT INTO ehr_unit_version (id_hash, version, credential, taken_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id_hash) DO UPDATE SET version = EXCLUDED.version, credential = EXCLUDED.credential,
        taken_at = EXCLUDED.taken_at
    WHERE ehr_unit_version.version <= EXCLUDED.version
    RETURNING version
    """,
)
# Any version is newer than none.
FORGET_VERSIONS = Scalar(
    int,
    """
    UPDATE ehr_unit_version SET version = 0
    WHERE credential = ANY($1::text[]) AND taken_at >= $2 AND version > 0
    RETURNING 1 AS gone
    """,
    fan_out="an operator takes a poisoned batch back; versions lie by the unit, whoever sent it",
)
KEEP_SIGNATURE = Command(
    """
    INSERT INTO ehr_unit_signature (id_hash, file_sha256, status, reason, certificate_sha256, checked_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id_hash) DO UPDATE SET file_sha256 = EXCLUDED.file_sha256, status = EXCLUDED.status,
        reason = EXCLUDED.reason, certificate_sha256 = EXCLUDED.certificate_sha256,
        checked_at = EXCLUDED.checked_at
    """
)
KEEP_BLOCK = Command(
    """
    INSERT INTO ehr_signature_block (id_hash, block, received_at) VALUES ($1, $2, $3)
    ON CONFLICT (id_hash) DO NOTHING
    """
)


class CertificateRow(Struct, frozen=True):
    certificate_id: UUID
    der: bytes
    required: bool
    valid_until: datetime


CERTIFICATES_OF_FACILITY = Statement(
    CertificateRow,
    """
    SELECT certificate_id, der, required, valid_until FROM facility_certificate
    WHERE facility_id = $1 AND ended_at IS NULL ORDER BY added_at
    """,
)
INSERT_CERTIFICATE = Command(
    """
    INSERT INTO facility_certificate
        (certificate_id, facility_id, sha256, der, required, valid_from, valid_until, added_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    """
)
END_CERTIFICATE = Scalar(
    UUID,
    """
    UPDATE facility_certificate SET ended_at = $2 WHERE certificate_id = $1 AND ended_at IS NULL
    RETURNING certificate_id
    """,
)
