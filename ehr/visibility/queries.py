"""All SQL about who sees a row: what the person hides, release policies and clocks, and the rows that change
their face when another row does."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.reads.queries import filtered
from ehr.visibility.models import Hiding, ReleaseCategory, ReleasePolicy
from store.database import Tx
from store.statement import Command, Scalar, Statement

INSERT_HIDING = Command(
    """
    INSERT INTO ehr_hiding (patient_id, hiding_id, rtype, id, reader, reader_name, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
)
PUT_HIDING = Scalar(
    UUID,
    """
    INSERT INTO ehr_hiding (patient_id, hiding_id, rtype, id, reader, reader_name, created_at)
    SELECT c.patient_id, $2, $3, $4, $5, $6, $7 FROM citizen c WHERE c.patient_id = $1
    ON CONFLICT (patient_id, hiding_id) DO NOTHING RETURNING hiding_id
    """,
)
LIVE_HIDINGS = Statement(
    Hiding,
    """
    SELECT hiding_id, rtype, id, reader, reader_name, created_at, ended_at FROM ehr_hiding
    WHERE patient_id = $1 AND ended_at IS NULL ORDER BY hiding_id
    """,
)
END_HIDING = Statement(
    Hiding,
    """
    UPDATE ehr_hiding SET ended_at = $3 WHERE patient_id = $1 AND hiding_id = $2 AND ended_at IS NULL
    RETURNING hiding_id, rtype, id, reader, reader_name, created_at, ended_at
    """,
)


class HidingShown(Struct, frozen=True):
    """A live hiding with the name of what it hides."""

    hiding_id: UUID
    rtype: str
    id: str
    reader: UUID | None
    reader_name: str | None
    created_at: datetime
    title: str
    item: str


# Only of what this person may know of: a merge brings the other's hidings with the rows (security.md S10).
HIDINGS_SHOWN = Statement(
    HidingShown,
    filtered(
        """
        SELECT h.hiding_id, h.rtype, h.id, h.reader, h.reader_name, h.created_at, r.title, r.item
        FROM ehr_hiding h
        JOIN ehr_resource r ON r.patient_id = h.patient_id AND r.rtype = h.rtype AND r.id = h.id
        WHERE h.patient_id = $1 AND {visible} AND h.ended_at IS NULL
        ORDER BY h.hiding_id DESC
        """
    ),
)
# The person's own sight: what is not there for the person cannot be hidden.
HAS_ROW = Scalar(
    bool,
    filtered(
        """
        SELECT EXISTS (
            SELECT FROM ehr_resource r WHERE {visible} AND r.rtype = $10 AND r.id = $11) AS found
        """
    ),
)


class Linked(Struct, frozen=True):
    """A row that may go with what is hidden. `head`: the start of its text, where its sender's id stands."""

    rtype: str
    id: str
    source_id: str
    unit: str | None
    facility_id: UUID | None
    encounter_id: str | None
    main_id: str | None
    section: str | None
    category: str | None
    active: bool
    negative: bool
    deleted: bool
    code_system: str | None
    code: str | None
    title: str
    eff: datetime | None
    eff_precision: str | None
    fold_key: bytes | None
    refs: str | None
    hidden_by: list[UUID] | None
    hidden_from: list[UUID] | None
    head: str


_LINKED = """
    SELECT r.rtype, r.id, r.source_id, r.unit, r.facility_id, r.encounter_id, r.main_id, r.section,
        r.category, r.active_until IS NOT NULL AS active, r.negative, r.deleted, r.code_system, r.code,
        r.title, r.eff, r.eff_precision, r.fold_key, r.refs, r.hidden_by, r.hidden_from,
        left(r.doc, 400) AS head
    FROM ehr_resource r"""

LINKED_ROWS = Statement(
    Linked,
    _LINKED
    + """
    JOIN unnest($2::text[], $3::text[]) AS k (rtype, id) ON k.rtype = r.rtype AND k.id = r.id
    WHERE r.patient_id = $1
    """,
)
ROWS_OF_VISITS = Statement(
    Linked, _LINKED + " WHERE r.patient_id = $1 AND r.encounter_id = ANY ($2::text[]) AND NOT r.deleted"
)
ROWS_OF_TYPES = Statement(
    Linked,
    _LINKED
    + """
    WHERE r.patient_id = $1 AND r.rtype = ANY ($2::text[]) AND r.id = ANY ($3::text[]) AND NOT r.deleted
    """,
)
ROWS_OF_UNITS = Statement(
    Linked, _LINKED + " WHERE r.patient_id = $1 AND r.unit = ANY ($2::text[]) AND NOT r.deleted"
)
# Two looks, each by its index: what says the very same, and results of the same times.
COPIES = Statement(
    Linked,
    _LINKED
    + " WHERE r.patient_id = $1 AND r.fold_key = ANY ($2::bytea[]) AND NOT r.deleted UNION ALL"
    + _LINKED
    + """
    WHERE r.patient_id = $1 AND r.sort_at = ANY ($3::timestamptz[]) AND r.rtype = 'Observation'
        AND NOT r.deleted
    """,
)
TELLING_ROWS = Statement(
    Linked,
    _LINKED
    + """
    WHERE r.patient_id = $1 AND r.refs IS NOT NULL AND r.rtype = ANY ($2::text[])
        AND string_to_array(r.refs, ' ') && $3::text[] AND NOT r.deleted
    """,
)
HIDDEN_ROWS = Statement(Linked, _LINKED + " WHERE r.patient_id = $1 AND r.hidden_from IS NOT NULL")


class NoneKnown(Struct, frozen=True):
    """An explicit 'none known' of a section."""

    rtype: str
    id: str
    section: str | None


NONE_KNOWN = Statement(
    NoneKnown,
    "SELECT rtype, id, section FROM ehr_resource WHERE patient_id = $1 AND negative AND NOT deleted",
)


# One hiding a row and line, with its reader; a row without a line is hidden from nobody any more.
HIDE_ROWS = Command(
    """
    UPDATE ehr_resource r SET seq = n.seq, gone_seq = CASE WHEN n.gone THEN n.seq ELSE r.gone_seq END,
        (hidden_by, hidden_from) = (
            SELECT array_agg(DISTINCT h.hiding_id), array_agg(DISTINCT h.reader)
            FROM unnest($6::text[], $7::text[], $8::uuid[], $9::uuid[]) AS h (rtype, id, hiding_id, reader)
            WHERE h.rtype = n.rtype AND h.id = n.id)
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::boolean[]) AS n (rtype, id, seq, gone)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)
# Which of these the person has ended, or the book knows nothing of: a merge has not brought them yet.
KNOWN_HIDINGS = Statement(
    Hiding,
    """
    SELECT hiding_id, rtype, id, reader, reader_name, created_at, ended_at FROM ehr_hiding
    WHERE patient_id = $1 AND (ended_at IS NULL OR hiding_id = ANY ($2::uuid[])) ORDER BY hiding_id
    """,
)


class FoldedRow(Struct, frozen=True):
    """A row of a fold that was touched."""

    rtype: str
    id: str
    fold_key: bytes
    source_id: str
    twin: bool


FOLDED_ROWS = Statement(
    FoldedRow,
    """
    SELECT r.rtype, r.id, r.fold_key, r.source_id, r.twin FROM ehr_resource r
    WHERE r.patient_id = $1 AND r.fold_key IS NOT NULL AND r.fold_key = ANY (ARRAY(
        SELECT c.fold_key FROM ehr_resource c
        JOIN unnest($2::text[], $3::text[]) AS k (rtype, id) ON k.rtype = c.rtype AND k.id = c.id
        WHERE c.patient_id = $1
        UNION ALL SELECT unnest($4::bytea[])))
    """,
)
# An encounter shows the name of its main disease.
TITLED_BY = Scalar(
    str,
    """
    SELECT id FROM ehr_resource
    WHERE patient_id = $1 AND rtype = 'Encounter' AND main_id = ANY ($2::text[]) AND NOT deleted
    """,
)
BUMP_ROWS = Command(
    """
    UPDATE ehr_resource r SET seq = n.seq, twin = r.twin OR n.twin
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::boolean[]) AS n (rtype, id, seq, twin)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id
    """
)
MARK_TWINS = Command(
    """
    UPDATE ehr_resource r SET twin = true
    FROM unnest($2::text[], $3::text[]) AS n (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id AND NOT r.twin
    """
)
# What is sent again for a visit that the person disputes is disputed with it.
INHERIT_DISPUTE = Command(
    """
    UPDATE ehr_resource r SET state = 'disputed'
    FROM unnest($2::text[], $3::text[]) AS n (rtype, id)
    WHERE r.patient_id = $1 AND r.rtype = n.rtype AND r.id = n.id AND r.state <> 'disputed'
        AND EXISTS (SELECT FROM ehr_resource e
            WHERE e.patient_id = $1 AND e.rtype = 'Encounter' AND e.id = r.encounter_id
                AND e.state = 'disputed')
    """
)

POLICIES = Statement(
    ReleasePolicy,
    """
    SELECT facility_id, category, rule, hours FROM ehr_release_policy
    WHERE facility_id = ANY ($1::uuid[]) ORDER BY facility_id, category
    """,
)
SET_POLICY = Command(
    """
    INSERT INTO ehr_release_policy AS p (facility_id, category, rule, hours, changed_at, changed_by)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (facility_id, category) DO UPDATE SET rule = EXCLUDED.rule, hours = EXCLUDED.hours,
        changed_at = EXCLUDED.changed_at, changed_by = EXCLUDED.changed_by
    """
)
NEXT_RELEASE = Scalar(
    datetime,
    """
    SELECT release_at FROM ehr_resource
    WHERE patient_id = $1 AND release_at IS NOT NULL AND release_at < $2 ORDER BY release_at LIMIT 1
    """,
)


class Waiting(Struct, frozen=True):
    """A row that waits for its release, and of which merged person."""

    rtype: str
    id: str
    unit: str | None
    origin_patient_id: UUID | None


DUE_RELEASES = Statement(
    Waiting,
    """
    SELECT rtype, id, unit, origin_patient_id FROM ehr_resource
    WHERE patient_id = $1 AND release_at IS NOT NULL AND release_at <= $2 ORDER BY rtype, id
    """,
)
WAITING_OF_SOURCE = Statement(
    Waiting,
    """
    SELECT rtype, id, unit, origin_patient_id FROM ehr_resource
    WHERE patient_id = $1 AND release_at IS NOT NULL AND source_id = $2 AND NOT deleted
        AND origin_patient_id IS NOT DISTINCT FROM $3 ORDER BY rtype, id
    """,
)


async def policies_of(tx: Tx, facility_id: UUID) -> dict[ReleaseCategory, ReleasePolicy]:
    """The rules of a facility; where it has none of its own, those for everywhere."""
    found = await POLICIES.all(tx, sorted({UUID(int=0), facility_id}))
    return {policy.category: policy for policy in found}
