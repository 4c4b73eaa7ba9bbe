"""All SQL that reads the record. `{visible}` is the access filter, written once: rows it hides do not exist
for counting, paging, search, summaries and trends. Its arguments are $1–$9, see ehr/reads/scope.py.
"""

import re
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from store.database import Tx
from store.statement import Statement

# The second half drops an explicit "none known" for everybody once something is known, so that its absence
# tells nothing about what is withheld. Rows that came with a merged person count for nothing without it.
_VISIBLE = """
    r.patient_id = $1 AND NOT r.deleted AND r.labels & $2::int = 0
    AND (r.origin_patient_id IS NULL OR r.origin_patient_id = ANY ($9::uuid[]))
    AND (NOT $7::boolean OR r.release_at IS NULL OR r.release_at <= $6::timestamptz)
    AND (r.hidden_from IS NULL OR $8::uuid = $1
        OR NOT r.hidden_from && ARRAY['00000000-0000-0000-0000-000000000000', $8::uuid])
    AND ($3::text[] IS NULL OR r.record_type = ANY ($3::text[]))
    AND (($4::timestamptz IS NULL AND $5::timestamptz IS NULL)
        OR r.record_type IN ('AllergyIntolerance', 'Immunization')
        OR (r.active_until >= $6::timestamptz
            AND r.record_type IN ('Condition', 'MedicationRequest', 'MedicationStatement'))
        OR (r.eff_until >= coalesce($4::timestamptz, '-infinity')
            AND r.eff < coalesce($5::timestamptz, 'infinity')))
    AND r.status NOT IN ('entered-in-error', 'refuted') AND r.state <> 'disputed'
    AND (NOT r.negative OR NOT EXISTS (
        SELECT 1 FROM ehr_resource known
        WHERE known.patient_id = $1 AND known.section = r.section AND known.active_until >= $6::timestamptz
            AND NOT known.deleted AND known.state <> 'disputed'
            AND (known.origin_patient_id IS NULL OR known.origin_patient_id = ANY ($9::uuid[]))))"""


# The diagnosis stands in a Condition of its own: without the right to that, a visit has only its kind.
_MAIN_TITLE = """(SELECT c.title FROM ehr_resource c
        WHERE {visible c} AND c.rtype = 'Condition' AND c.id = r.main_id) AS main_title"""


def _filtered(sql: str) -> str:
    """Put the filter in: `{visible}` for rows named r, `{visible c}` for rows named c; and `{main_title}`."""
    return re.sub(
        r"\{visible(?: (\w+))?\}",
        lambda found: re.sub(r"\br\.", f"{found[1] or 'r'}.", _VISIBLE),
        sql.replace("{main_title}", _MAIN_TITLE),
    )


class Head(Struct, frozen=True):
    """What an answer changes with: the record's last number, and how old its oldest reading view is."""

    head_seq: int
    item_version: int


HEAD = Statement(Head, "SELECT head_seq, item_version FROM ehr_head WHERE patient_id = $1")


async def head_of(tx: Tx, patient_id: UUID) -> Head:
    """The head of a person's record; zeros where nothing was ever written."""
    return await HEAD.one(tx, patient_id) or Head(0, 0)


class ItemRow(Struct, frozen=True):
    """One row of a list. `item` is JSON; `main_title` the main disease of an encounter, where readable."""

    rtype: str
    id: str
    sort_at: datetime
    section: str | None
    item: str
    main_title: str | None


class BodyRow(Struct, frozen=True):
    """As ItemRow, with the text of a document."""

    rtype: str
    id: str
    sort_at: datetime
    section: str | None
    item: str
    main_title: str | None
    body: str | None


SECTION_PAGE = Statement(
    ItemRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND r.section = $10 AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
DOCUMENT_PAGE = Statement(
    BodyRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, NULL::text AS main_title, r.body
        FROM ehr_resource r
        WHERE {visible} AND r.section = $10 AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
SEARCH_PAGE = Statement(
    ItemRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND r.section IS NOT NULL AND r.title_folded LIKE ALL ($10::text[])
            AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)


class TrendRow(Struct, frozen=True):
    """One result of a trend."""

    rtype: str
    id: str
    item: str


TREND = Statement(
    TrendRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.item FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'Observation' AND r.code = $10
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $11
        """
    ),
)

# Visits, and things that belong to no visit the reader can see. CASE keeps the planner on the index by time:
# a page is found without sorting the record.
TIMELINE_HEADS = Statement(
    ItemRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND (r.sort_at, r.id) < ($10, $11)
            AND CASE WHEN r.section = 'encounters' THEN true
                ELSE r.section = ANY ($12::text[]) AND (r.encounter_id IS NULL OR NOT EXISTS (
                    SELECT 1 FROM ehr_resource e
                    WHERE {visible e} AND e.rtype = 'Encounter' AND e.id = r.encounter_id)) END
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)


class VisitItemRow(Struct, frozen=True):
    """One thing that happened in a visit."""

    rtype: str
    id: str
    encounter_id: str
    section: str
    item: str


VISIT_ITEMS = Statement(
    VisitItemRow,
    _filtered(
        """
        SELECT n.rtype, n.id, n.encounter_id, n.section, n.item FROM (
            SELECT r.rtype, r.id, r.encounter_id, r.section, r.item,
                row_number() OVER (PARTITION BY r.encounter_id ORDER BY r.section, r.sort_at, r.id) AS place
            FROM ehr_resource r
            WHERE {visible} AND r.encounter_id = ANY ($10::text[]) AND r.section = ANY ($11::text[])
        ) n
        WHERE n.place <= $12
        """
    ),
)


class SummaryRow(Struct, frozen=True):
    """One line of the summary with where it comes from."""

    part: str
    rtype: str
    id: str
    item: str
    main_title: str | None
    updated: datetime
    negative: bool
    facility_name: str | None


# A template's columns are those of the outer SELECT; `place` comes first in a part's order, then the date.
_LIST = """
    (SELECT '{part}' AS part, 0 AS place, v.sort_at, v.rtype, v.id, v.item, NULL::text AS main_title,
        v.updated, v.facility_id, v.negative
    FROM v WHERE {which} ORDER BY v.sort_at DESC, v.id DESC LIMIT {limit})"""
_NEWEST_PER_CODE = """
    (SELECT '{part}' AS part, -n.flag AS place, n.sort_at, n.rtype, n.id, n.item, NULL::text AS main_title,
        n.updated, n.facility_id, n.negative
    FROM (SELECT DISTINCT ON (coalesce(v.code, v.title_folded)) v.* FROM v
        WHERE {which} AND v.status <> 'cancelled'
        ORDER BY coalesce(v.code, v.title_folded), v.sort_at DESC, v.id DESC) n
    ORDER BY n.flag DESC, n.sort_at DESC, n.id DESC LIMIT {limit})"""
_VISITS = """
    (SELECT '{part}' AS part, 0 AS place, v.sort_at, v.rtype, v.id, v.item,
        (SELECT c.title FROM v c WHERE c.rtype = 'Condition' AND c.id = v.main_id) AS main_title,
        v.updated, v.facility_id, v.negative
    FROM v WHERE {which} ORDER BY v.sort_at DESC, v.id DESC LIMIT {limit})"""

# Each limit is one more than is shown: the last row only says that there is more.
_PARTS = (
    (_LIST, "allergies", "v.section = 'allergies' AND v.status NOT IN ('inactive', 'resolved')", 101),
    (_LIST, "alerts", "v.section = 'alerts' AND v.active_until >= $6", 21),
    (_LIST, "problems", "v.section = 'problems' AND (v.active_until >= $6 OR v.negative)", 101),
    (_LIST, "medications", "v.section = 'medications' AND (v.active_until >= $6 OR v.negative)", 101),
    (_NEWEST_PER_CODE, "results", "v.section = 'results'", 41),
    (_VISITS, "encounters", "v.section = 'encounters' AND v.status <> 'cancelled'", 4),
    (_LIST, "immunizations", "v.section = 'immunizations'", 41),
    (_NEWEST_PER_CODE, "pregnancy", "v.section = 'pregnancy'", 6),
    (_LIST, "devices", "v.section = 'devices'", 21),
    (_LIST, "procedures", "v.section = 'procedures'", 21),
    (_NEWEST_PER_CODE, "vital-signs", "v.section = 'vital-signs'", 16),
    (_LIST, "care-plans", "v.section = 'care-plans' AND v.active_until >= $6", 11),
    (
        _LIST,
        "past-problems",
        "v.section = 'problems' AND NOT v.negative AND (v.active_until IS NULL OR v.active_until < $6)",
        21,
    ),
    (_NEWEST_PER_CODE, "social", "v.section = 'social'", 11),
    # Every reported blood group, so that a conflict shows both sources (security.md S17).
    (_LIST, "blood-group", "v.rtype = 'Observation' AND v.code IN ('883-9', '10331-7', '882-1')", 5),
)
SHOWN = {part: limit - 1 for _, part, _, limit in _PARTS}


def _part(template: str, part: str, which: str, limit: int) -> str:
    return template.replace("{part}", part).replace("{which}", which).replace("{limit}", str(limit))


# v is not materialized: every part walks its own index as far as its limit. asyncpg keeps a statement
# prepared only up to 15 kB of text, so the filter is written once.
SUMMARY = Statement(
    SummaryRow,
    _filtered(
        """
        WITH v AS NOT MATERIALIZED (
            SELECT r.rtype, r.id, r.section, r.item, r.title, r.title_folded, r.main_id, r.code, r.status,
                r.flag, r.sort_at, r.active_until, r.updated, r.facility_id, r.negative
            FROM ehr_resource r WHERE {visible})
        SELECT s.part, s.rtype, s.id, s.item, s.main_title, s.updated, s.negative, f.name AS facility_name
        FROM ({parts}) s LEFT JOIN facility f ON f.facility_id = s.facility_id
        ORDER BY s.place, s.sort_at DESC, s.id DESC
        """.replace("{parts}", " UNION ALL ".join(_part(*part) for part in _PARTS))
    ),
)


class TargetRow(Struct, frozen=True):
    """An entry that the reader may see, with where it comes from: what a person can object to."""

    rtype: str
    id: str
    version: int
    facility_id: UUID | None
    source_id: str
    unit: str | None
    encounter_id: str | None
    origin_patient_id: UUID | None
    title: str
    item: str


TARGET = Statement(
    TargetRow,
    _filtered(
        """
        SELECT r.rtype, r.id, r.version, r.facility_id, r.source_id, r.unit, r.encounter_id,
            r.origin_patient_id, r.title, r.item
        FROM ehr_resource r WHERE {visible} AND r.id = $10 ORDER BY r.rtype LIMIT 1
        """
    ),
)


class CodeUse(Struct, frozen=True):
    """How often a code stands in the records, for the coverage of Vietnamese names."""

    code_system: str | None
    code: str
    display: str
    uses: int


CODES_IN_USE = Statement(
    CodeUse,
    """
    SELECT code_system, code, min(title) AS display, count(*) AS uses FROM ehr_resource
    WHERE code IS NOT NULL AND NOT deleted GROUP BY code_system, code ORDER BY count(*) DESC, code
    """,
    fan_out="an operator's report over all records, without any person in it",
)
