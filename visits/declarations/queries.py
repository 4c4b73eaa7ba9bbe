"""All SQL of forms and declarations."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from store.statement import Command, Scalar, Statement
from visits.declarations.models import DeclarationRow, FormRow, Visit

_FORM: Final = ", ".join(FormRow.__struct_fields__)
_ROW: Final = ", ".join(DeclarationRow.__struct_fields__)
_SELECT_FORM: Final = f"SELECT {_FORM} FROM declaration_form"  # noqa: S608 - a constant of ours
_SELECT: Final = f"SELECT {_ROW} FROM declaration"  # noqa: S608 - a constant of ours

INSERT_FORM = Command(
    f"INSERT INTO declaration_form ({_FORM})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
)
FORM_BY_ID = Statement(FormRow, _SELECT_FORM + " WHERE form_id = $1")
# $1: the facility's own, or NULL for those of all facilities alone. Newest first.
FORMS_OF = Statement(
    FormRow,
    _SELECT_FORM
    + " WHERE facility_id IS NOT DISTINCT FROM $1 AND form_id < $2 ORDER BY form_id DESC LIMIT $3",
)
# What can be filled in at a facility: its own forms and those of all.
LIVE_FORMS = Statement(
    FormRow,
    _SELECT_FORM
    + " WHERE state = 'published' AND (facility_id IS NULL OR facility_id = $1) AND form_id < $2"
    + " ORDER BY form_id DESC LIMIT $3",
)
END_LIVE = Command(
    "UPDATE declaration_form SET state = 'ended', ended_at = $3"
    " WHERE facility_id IS NOT DISTINCT FROM $1 AND code = $2 AND state = 'published'"
)
PUBLISH = Statement(
    FormRow,
    f"""
    UPDATE declaration_form f SET state = 'published', published_by = $2, published_at = $3,
        version = 1 + (SELECT coalesce(max(o.version), 0) FROM declaration_form o
            WHERE o.facility_id IS NOT DISTINCT FROM f.facility_id AND o.code = f.code)
    WHERE form_id = $1 AND state = 'proposed' AND proposed_by <> $2
    RETURNING {_FORM}
    """,  # noqa: S608 - a constant of ours
)
END_FORM = Statement(
    FormRow,
    f"""
    UPDATE declaration_form SET state = 'ended', ended_at = $2
    WHERE form_id = $1 AND state <> 'ended' RETURNING {_FORM}
    """,  # noqa: S608 - a constant of ours
)

CHECK_IN = Statement(
    Visit,
    "SELECT patient_id, check_in_id AS visit_id, facility_id, unit_id, recorded_at AS at,"
    " recorded_at AS ends_at, withdrawn_at IS NULL AS is_live"
    " FROM check_in WHERE patient_id = $1 AND check_in_id = $2",
)
BOOKING = Statement(
    Visit,
    "SELECT patient_id, appointment_id AS visit_id, facility_id, unit_id, starts_at AS at, ends_at,"
    " state IN ('held', 'booked', 'waiting', 'attended') AS is_live"
    " FROM appointment WHERE patient_id = $1 AND appointment_id = $2",
)

INSERT = Scalar(
    UUID,
    f"INSERT INTO declaration ({_ROW}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"  # noqa: S608
    " ON CONFLICT DO NOTHING RETURNING declaration_id",
)
BY_ID = Statement(DeclarationRow, _SELECT + " WHERE patient_id = $1 AND declaration_id = $2")
OF_PERSON = Statement(
    DeclarationRow,
    _SELECT + " WHERE patient_id = $1 AND declaration_id < $2 ORDER BY declaration_id DESC LIMIT $3",
)
DELETE = Command("DELETE FROM declaration WHERE patient_id = $1 AND declaration_id = $2")

INSERT_MIRROR = Command(
    "INSERT INTO facility_declaration (facility_id, visit_id, declaration_id, patient_id)"
    " VALUES ($1, $2, $3, $4)"
)
DELETE_MIRROR = Command(
    "DELETE FROM facility_declaration WHERE facility_id = $1 AND visit_id = $2 AND declaration_id = $3"
)


class Mirror(Struct, frozen=True):
    """Where a declaration of a visit lies."""

    declaration_id: UUID
    patient_id: UUID


# One visit has few of them: each form once.
OF_VISIT = Statement(
    Mirror,
    "SELECT declaration_id, patient_id FROM facility_declaration"
    " WHERE facility_id = $1 AND visit_id = $2 AND declaration_id > $3 ORDER BY declaration_id LIMIT $4",
)


class Ended(Struct, frozen=True):
    patient_id: UUID
    declaration_id: UUID
    facility_id: UUID
    visit_id: UUID


ENDED = Statement(
    Ended,
    "SELECT patient_id, declaration_id, facility_id, visit_id FROM declaration WHERE visit_on <= $1 LIMIT $2",
    fan_out="once an hour a worker removes what was declared for days long past, wherever it lies",
)
