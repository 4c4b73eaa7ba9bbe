"""All SQL of the vaccination book: it reads the record, through the one filter of ehr.reads."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.models import EffPrecision, State
from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

DOSES_MAX = 500
# Far more than a life holds from one sender: the doses of others stay in sight whatever one of them sends.
OF_ONE_SENDER = 100
# One more of each, so that what is left out is known to be there.
READ_MAX = DOSES_MAX + DOSES_MAX // OF_ONE_SENDER + 1


class DoseRow(Struct, frozen=True):
    """One vaccination as the record has it. eff: its first instant; mark: see ehr.reads.queries.ItemRow."""

    id: str
    version: int
    updated: datetime
    eff: datetime | None
    eff_precision: EffPrecision | None
    state: State
    facility_id: UUID | None
    facility_name: str | None
    source_id: str
    code_system: str | None
    code: str | None
    title: str
    item: str
    doc: str
    mark: str | None
    fold: bytes | None


_DOSE = """
        SELECT r.id, r.version, r.updated, r.eff, r.eff_precision, r.state, r.facility_id,
            f.name AS facility_name, r.source_id, r.code_system, r.code, r.title, r.item, r.doc, {face}
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.section = 'immunizations' AND r.rtype = 'Immunization'
            AND r.status = 'completed' AND NOT r.negative"""
_RANKED = "row_number() OVER (PARTITION BY r.source_id ORDER BY r.sort_at DESC, r.id DESC) AS nth, r.sort_at"
DOSES = Statement(
    DoseRow,
    filtered(
        f"""
        SELECT {", ".join(DoseRow.__struct_fields__)}
        FROM ({_DOSE.replace("{face}", "{face}, " + _RANKED)}) AS mine
        WHERE nth <= {OF_ONE_SENDER + 1} ORDER BY sort_at DESC, id DESC LIMIT {READ_MAX}
        """  # noqa: S608 - constants of ours
    ),
)


class GoneRow(Struct, frozen=True):
    """A vaccination that stood and does not. method: of the act that took it away; updated: when."""

    id: str
    updated: datetime
    eff: datetime | None
    eff_precision: EffPrecision | None
    state: State
    status: str
    method: str
    deleted: bool
    source_id: str
    facility_name: str | None
    title: str
    item: str
    doc: str


# What the gate takes out is told to nobody, and what people said themselves is theirs to take back.
GONE = Statement(
    GoneRow,
    filtered(
        """
        SELECT r.id, r.updated, r.eff, r.eff_precision, r.state, r.status, r.method, r.deleted, r.source_id,
            f.name AS facility_name, r.title, r.item, r.doc
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {once visible} AND r.section = 'immunizations' AND r.rtype = 'Immunization'
            AND r.status IN ('completed', 'entered-in-error') AND NOT r.negative
            AND r.state <> 'self-declared' AND r.method <> 'gate'
            AND (r.deleted OR r.state = 'disputed' OR r.status = 'entered-in-error')
        ORDER BY r.updated DESC, r.id DESC LIMIT 100
        """
    ),
)

# Of the pictures that declared doses rest on, those that stand and that the reader may see.
PAPERS = Scalar(
    str,
    filtered(
        """
        SELECT r.id FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'DocumentReference' AND r.state = 'self-declared'
            AND r.id = ANY ($10::text[])
        """
    ),
)
