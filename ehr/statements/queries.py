"""All SQL of what people declare. A statement is a row of the record by a source that is a person; unit
`statement:<kind>:<uuid>`. So is a paper of theirs; unit `own-document:<uuid>` (ehr/own_documents)."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

UNIT = "statement:"
PAPER_UNIT = "own-document:"
STANDING_MAX = 300
PAPERS_MAX = 300


class StatementRow(Struct, frozen=True):
    """One declared entry that the reader may see. said_by: the account that wrote its present version."""

    rtype: str
    id: str
    unit: str
    version: int
    updated: datetime
    said_by: str
    source_id: str
    origin_patient_id: UUID | None
    labels: int
    item: str
    mark: str | None
    fold: bytes | None


_COLUMNS = """
        SELECT r.rtype, r.id, r.unit, r.version, r.updated, r.credential AS said_by, r.source_id,
            r.origin_patient_id, r.labels, r.item, {face}
        FROM ehr_resource r
        WHERE {visible} AND r.state = 'self-declared' AND r.unit IS NOT NULL
            AND (r.unit LIKE 'statement:%' OR r.unit LIKE 'own-document:%') AND r.rtype <> 'Provenance'"""
DECLARED = Statement(
    StatementRow,
    filtered(_COLUMNS + f" ORDER BY r.updated DESC, r.id DESC LIMIT {STANDING_MAX + PAPERS_MAX}"),
)
DECLARED_ENTRY = Statement(StatementRow, filtered(_COLUMNS + " AND r.id = $10"))

# Of the whole book, seen by the writer or not: how much stands, and whether one of this kind does.
STANDING = Scalar(
    int,
    """
    SELECT count(*)::int AS standing FROM ehr_resource
    WHERE patient_id = $1 AND state = 'self-declared' AND unit LIKE $2 AND rtype <> 'Provenance'
        AND NOT deleted AND source_id = $3
    """,
)


class WrittenRow(Struct, frozen=True):
    """What became of a statement, for its writer: nothing of what it says."""

    id: str
    unit: str
    version: int
    deleted: bool
    updated: datetime


WRITTEN = Statement(
    WrittenRow,
    """
    SELECT id, unit, version, deleted, updated FROM ehr_resource
    WHERE patient_id = $1 AND state = 'self-declared' AND unit IS NOT NULL AND unit LIKE 'statement:%'
        AND id = $2
        AND ($3::text IS NULL OR credential = $3)
    """,
)
