"""SQL of papers: what an Access lets out of them, and the one row that a code refers to."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.paper_proofs.models import PaperKind, PaperType
from ehr.reads.queries import filtered
from store.database import Tx
from store.statement import Statement


class PaperRow(Struct, frozen=True):
    """A paper as stored. origin_patient_id: of a merged person whose row it is."""

    rtype: PaperType
    id: str
    sort_at: datetime
    code: PaperKind
    doc: str
    facility_id: UUID | None
    facility_name: str | None
    origin_patient_id: UUID | None


_KIND = "CASE r.rtype WHEN 'QuestionnaireResponse' THEN 'health-check' ELSE r.code END AS code"
_PAPER = f"""r.rtype, r.id, r.sort_at, {_KIND}, r.doc, r.facility_id, f.name AS facility_name,
            r.origin_patient_id
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id"""

# What no facility signed is no paper; what the person wrote neither.
_ISSUED = """(r.rtype = 'DocumentReference' AND r.code_system = 'urn:vn:so-suc-khoe:document-kind'
                AND r.code IS NOT NULL AND r.code = ANY ($10::text[])
            OR r.rtype = 'QuestionnaireResponse' AND r.section = 'health-checks')
            AND r.facility_id IS NOT NULL AND r.state <> 'self-declared'"""

PAPER_PAGE = Statement(
    PaperRow,
    filtered(
        f"""
        SELECT {_PAPER}
        WHERE {{visible}} AND {_ISSUED} AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
PAPER = Statement(
    PaperRow,
    filtered(f"SELECT {_PAPER} WHERE {{visible}} AND {_ISSUED} AND r.id = $11"),
)


class StateRow(Struct, frozen=True):
    """How the row of a code stands. is_standing: neither retracted nor disputed nor entered in error."""

    id: str
    code: str | None
    doc: str
    facility_id: UUID | None
    facility_name: str | None
    is_standing: bool


# Not through the filter: the code is the paper's own, and what its person hides from readers says nothing
# of whether its facility stands by it. $2 the ids it may have here, $3 whose row it is here, $4 its type.
STATE = Statement(
    StateRow,
    f"""
    SELECT r.id, {_KIND}, r.doc, r.facility_id, f.name AS facility_name,
        NOT r.deleted AND r.state <> 'disputed' AND r.status NOT IN ('entered-in-error', 'superseded')
            AS is_standing
    FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
    WHERE r.patient_id = $1 AND r.rtype = $4 AND r.id = ANY ($2::text[])
        AND coalesce(r.origin_patient_id, r.patient_id) = $3
    """,  # noqa: S608 - a constant of ours
)


async def state_of(tx: Tx, book: UUID, ids: list[str], owner: UUID, rtype: PaperType) -> StateRow | None:
    return await STATE.one(tx, book, ids, owner, rtype)
