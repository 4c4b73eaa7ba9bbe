"""All SQL of written questions."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from visits.consultations.models import ConsultationRow, FacilityRow, PictureRow

_COLUMNS: Final = ", ".join(ConsultationRow.__struct_fields__)
_LISTED: Final = ", ".join(FacilityRow.__struct_fields__)
_PICTURE: Final = ", ".join(PictureRow.__struct_fields__)
_SELECT: Final = f"SELECT {_COLUMNS} FROM consultation"  # noqa: S608 - a constant of ours

INSERT = Command(
    f"INSERT INTO consultation ({_COLUMNS})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
)
BY_ID = Statement(ConsultationRow, _SELECT + " WHERE patient_id = $1 AND consultation_id = $2 FOR UPDATE")
OF_PERSON = Statement(
    ConsultationRow,
    _SELECT
    + " WHERE patient_id = $1 AND ($2::uuid IS NULL OR asked_by = $2) AND consultation_id < $3"
    + " ORDER BY consultation_id DESC LIMIT $4",
)
# Whoever asks puts one question after the other, so the limit counts each.
LOCK_ASKER = Scalar(UUID, "SELECT patient_id FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
WAITING = Scalar(
    int,
    "SELECT count(*)::int FROM consultation"
    " WHERE patient_id = $1 AND asked_by = $2 AND state IN ('asked', 'accepted')",
)
UPDATE = Command(
    """
    UPDATE consultation SET state = $3, answer = $4, share_code = $5, share_code_until = $6, accepted_by = $7,
        accepted_at = $8, answered_at = $9, ended_at = $10, overdue_at = $11
    WHERE patient_id = $1 AND consultation_id = $2
    """
)
MIRROR = Command(
    """
    INSERT INTO facility_consultation (facility_id, consultation_id, patient_id, practitioner_id, state,
        asked_at, answer_by, overdue_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (facility_id, consultation_id) DO UPDATE
        SET state = excluded.state, overdue_at = excluded.overdue_at
    """
)
# What is put to another doctor by name is that doctor's.
OF_FACILITY = Statement(
    FacilityRow,
    f"""
    SELECT {_LISTED} FROM facility_consultation
    WHERE facility_id = $1 AND (practitioner_id IS NULL OR practitioner_id = $2)
        AND (NOT $3 OR state IN ('asked', 'accepted')) AND consultation_id < $4
    ORDER BY consultation_id DESC LIMIT $5
    """,  # noqa: S608 - a constant of ours
)
PATIENT_OF = Scalar(
    UUID,
    "SELECT patient_id FROM facility_consultation WHERE facility_id = $1 AND consultation_id = $2"
    " AND (practitioner_id IS NULL OR practitioner_id = $3)",
)
INSERT_PICTURE = Scalar(
    UUID,
    """
    INSERT INTO consultation_picture (patient_id, consultation_id, picture_id, blob_of, blob_id,
        source_sha256, media_type, length_bytes, added_at)
    VALUES ($1, $2, $3, $1, $4, $5, $6, $7, $8)
    ON CONFLICT (patient_id, consultation_id, source_sha256) DO NOTHING
    RETURNING picture_id
    """,
)
PICTURES = Statement(
    PictureRow,
    f"SELECT {_PICTURE} FROM consultation_picture WHERE patient_id = $1 AND consultation_id = $2"  # noqa: S608
    " ORDER BY picture_id LIMIT 20",
)
PICTURE_BY_SOURCE = Statement(
    PictureRow,
    f"SELECT {_PICTURE} FROM consultation_picture"  # noqa: S608 - a constant of ours
    " WHERE patient_id = $1 AND consultation_id = $2 AND source_sha256 = $3",
)
IN_BLOB = Scalar(
    int, "SELECT 1 AS named FROM consultation_picture WHERE patient_id = $1 AND blob_id = $2 LIMIT 1"
)


class Ended(Struct, frozen=True):
    patient_id: UUID
    consultation_id: UUID
    facility_id: UUID


# One that was answered and never closed has ended with its answer.
ENDED = Statement(
    Ended,
    "SELECT patient_id, consultation_id, facility_id FROM consultation"
    " WHERE state NOT IN ('asked', 'accepted') AND coalesce(ended_at, answered_at) < $1"
    " LIMIT $2",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
DELETE_PICTURES = Command("DELETE FROM consultation_picture WHERE patient_id = $1 AND consultation_id = $2")
DELETE = Command("DELETE FROM consultation WHERE patient_id = $1 AND consultation_id = $2")
DELETE_MIRROR = Command("DELETE FROM facility_consultation WHERE facility_id = $1 AND consultation_id = $2")
