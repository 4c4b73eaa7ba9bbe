"""SQL of letters: what an Access lets out of them, and the one that a code refers to."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.letters.models import LetterKind
from ehr.reads.queries import filtered
from store.statement import Statement


class LetterRow(Struct, frozen=True):
    """A letter as stored, with the row of the request or appointment that it is of. came_at: when the person
    came to the facility of an appointment for it; origin_patient_id: of a merged person whose row it is."""

    id: str
    sort_at: datetime
    code: LetterKind
    doc: str
    facility_id: UUID | None
    facility_name: str | None
    origin_patient_id: UUID | None
    encounter_id: str | None
    about_type: str | None
    about_id: str | None
    about_doc: str | None
    came_at: datetime | None


def came(appointment: str, early: str) -> str:
    """When the person came to the facility of an appointment by another visit than the one that gave it; only
    from its day on where nobody knows which visit that was. early: how long before its day counts."""
    return f"""(
            SELECT min(v.eff) FROM ehr_resource v
            WHERE {{visible v}} AND v.rtype IN ('Encounter', 'Immunization')
                AND v.facility_id = {appointment}.facility_id
                AND v.id IS DISTINCT FROM {appointment}.encounter_id
                AND v.encounter_id IS DISTINCT FROM coalesce({appointment}.encounter_id, '')
                AND v.eff >= {appointment}.eff - CASE WHEN {appointment}.encounter_id IS NULL
                    THEN interval '0' ELSE {early}::interval END
        )"""  # noqa: S608 - constants of ours


_COLUMNS = f"""r.id, r.sort_at, r.code, r.doc, r.facility_id, f.name AS facility_name, r.origin_patient_id,
            r.encounter_id, a.rtype AS about_type, a.id AS about_id, a.doc AS about_doc,
            CASE WHEN a.rtype = 'Appointment' THEN {came("a", "$10")} END AS came_at"""
# The letter names its request or appointment (docs/mapping.md); refs holds our ids of what a document names.
_ABOUT = """a.patient_id = $1 AND NOT a.deleted
            AND a.rtype = CASE r.code WHEN 'referral' THEN 'ServiceRequest' ELSE 'Appointment' END
            AND a.id = ANY (string_to_array(r.refs, ' '))"""
_FROM = "FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id"
# What no facility issued is no letter; what the person wrote neither.
_LETTER = """r.rtype = 'DocumentReference' AND r.code_system = 'urn:vn:so-suc-khoe:document-kind'
            AND r.code IS NOT NULL AND r.code IN ('referral', 'revisit') AND r.facility_id IS NOT NULL
            AND r.state <> 'self-declared'"""
# Of a letter that no visit gave nobody knows the department: the family does not see it (security.md S23).
_OF_KNOWN_PLACE = "(NOT $11::boolean OR r.encounter_id IS NOT NULL)"

LETTER_PAGE = Statement(
    LetterRow,
    filtered(
        f"""
        SELECT {_COLUMNS}
        {_FROM} LEFT JOIN ehr_resource a ON {_ABOUT} AND {{visible a}}
        WHERE {{visible}} AND {_LETTER} AND {_OF_KNOWN_PLACE} AND (r.sort_at, r.id) < ($12, $13)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $14
        """
    ),
)
LETTER = Statement(
    LetterRow,
    filtered(
        f"""
        SELECT {_COLUMNS}
        {_FROM} LEFT JOIN ehr_resource a ON {_ABOUT} AND {{visible a}}
        WHERE {{visible}} AND {_LETTER} AND {_OF_KNOWN_PLACE} AND r.id = $12
        LIMIT 1
        """
    ),
)
# Of a code that is checked: the letter is its own and is not hidden from whoever holds it, but of no visit is
# told that is kept from anybody (security.md S23).
LETTER_STANDING = Statement(
    LetterRow,
    filtered(
        f"""
        SELECT {_COLUMNS}
        {_FROM} LEFT JOIN ehr_resource a ON {_ABOUT}
        WHERE r.patient_id = $1 AND {_LETTER} AND r.id = $11
        LIMIT 1
        """
    ),
)
