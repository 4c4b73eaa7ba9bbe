"""All SQL that reads the record. `{visible}` is the access filter, written once: rows it hides do not exist
for counting, paging, search, summaries and trends. Its arguments are $1–$9, see ehr/reads/scope.py.
"""

import re
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.visibility.models import FAMILY
from store.database import Tx
from store.statement import Statement

# The second half drops an explicit "none known" for everybody once something is known, so that its absence
# tells nothing about what is withheld. Rows that came with a merged person count for nothing without it.
# The family ($8 is FAMILY) sees at no age a visit of a sensitive department, nor anything of it (security.md
# S23); nor does an app or a partner ($8 is OUTSIDE), for which nothing exists that is hidden from anybody.
_VISIBLE = """
    r.patient_id = $1 AND NOT r.deleted AND r.labels & $2::int = 0
    AND (r.origin_patient_id IS NULL OR r.origin_patient_id = ANY ($9::uuid[]))
    AND (NOT $7::boolean OR r.release_at IS NULL OR r.release_at <= $6::timestamptz)
    AND (r.hidden_from IS NULL OR $8::uuid = $1 OR ($8::uuid <> '00000000-0000-0000-0000-000000000002'
        AND NOT r.hidden_from && ARRAY['00000000-0000-0000-0000-000000000000', $8::uuid]))
    AND ($3::text[] IS NULL OR (r.record_type = ANY ($3::text[])
        AND NOT (coalesce(r.code, '') IN {blood groups} AND 'except.blood-group' = ANY ($3::text[])))
        OR {lasting})
    AND (($4::timestamptz IS NULL AND $5::timestamptz IS NULL) OR {lasting}
        OR r.record_type IN ('AllergyIntolerance', 'Immunization')
        OR (r.active_until >= $6::timestamptz
            AND r.record_type IN ('Condition', 'MedicationRequest', 'MedicationStatement'))
        OR (r.eff_until >= coalesce($4::timestamptz, '-infinity')
            AND r.eff < coalesce($5::timestamptz, 'infinity')))
    AND (coalesce($8::uuid NOT IN ('00000000-0000-0000-0000-000000000001',
            '00000000-0000-0000-0000-000000000002'), true)
        OR (r.rtype <> 'Encounter' OR r.labels = 0) AND NOT EXISTS (
            SELECT 1 FROM ehr_resource visit
            WHERE visit.patient_id = $1 AND visit.rtype = 'Encounter' AND visit.id = r.encounter_id
                AND visit.labels <> 0))
    AND r.status NOT IN ('entered-in-error', 'refuted') AND r.state <> 'disputed'
    AND (NOT r.negative OR NOT EXISTS (
        SELECT 1 FROM ehr_resource known
        WHERE known.patient_id = $1 AND known.section = r.section AND known.active_until >= $6::timestamptz
            AND NOT known.deleted AND known.state <> 'disputed'
            AND (known.origin_patient_id IS NULL OR known.origin_patient_id = ANY ($9::uuid[]))))"""


# Facts that a life can hang on however old they are; an access names them one by one (kernel/access.py).
_LASTING = """
        (r.record_type = 'Device' AND 'safety.implants' = ANY ($3::text[]))
        OR (r.code IN {blood groups} AND r.rtype = 'Observation'
            AND 'safety.blood-group' = ANY ($3::text[]))"""
_WHOLE = _VISIBLE.replace("{lasting}", _LASTING).replace("{blood groups}", "('883-9', '10331-7', '882-1')")
# The diagnosis stands in a Condition of its own: without the right to that, a visit has only its kind.
_MAIN_TITLE = """(SELECT c.title FROM ehr_resource c
        WHERE {visible c} AND c.rtype = 'Condition' AND c.id = r.main_id) AS main_title"""


# What the reader could see if it still stood: the filter without what became of the row since.
_ONCE = _WHOLE.replace("AND NOT r.deleted ", "").replace(
    "AND r.status NOT IN ('entered-in-error', 'refuted') AND r.state <> 'disputed'", ""
)
# What is added to an item when it is read: marks (who may see it, that the person disputes it), and the key
# of its copies.
# Of a declared entry, what a doctor said last of the version that stands (ehr/statements).
_VERDICT = """CASE WHEN r.state = 'self-declared' THEN (
            SELECT {what} FROM ehr_resource w
            WHERE w.patient_id = $1 AND w.rtype = 'VerificationResult' AND w.main_id = r.id
                AND w.category = r.version::text AND NOT w.deleted AND w.state <> 'disputed'
            ORDER BY w.updated DESC LIMIT 1) END"""
# The family hears the outcome and the day: where somebody is treated, and what was noted there, is not
# theirs to learn from it (security.md S23).
_TOLD = f"""CASE WHEN $8::uuid = '{FAMILY}' THEN jsonb_build_object(
                'status', w.item::jsonb -> 'status', 'date', left(w.item::jsonb ->> 'date', 10))::text
                ELSE w.item::text END"""
_FACE = """
        nullif(concat(concat_ws(' ', CASE WHEN r.hidden_from IS NOT NULL AND $8::uuid = $1 THEN 'hidden'
            WHEN r.release_at > $6::timestamptz THEN 'not-yet-released' END,
            CASE WHEN r.contested THEN 'disputed' END, r.dispensed), E'\\n' || {verdict item}), '') AS mark,
        CASE WHEN r.twin THEN r.fold_key END AS fold"""
# Of copies that several senders sent, those of one sender stand for all.
_FOLDED = """(NOT r.twin OR NOT EXISTS (
        SELECT 1 FROM ehr_resource d
        WHERE {visible d} AND d.fold_key = r.fold_key AND d.source_id < r.source_id))"""


# What a doctor refuted stays in the own book alone, marked: lists of what counts now are without it.
_STANDING = "($8::uuid = $1 OR {verdict status} IS DISTINCT FROM 'val-fail')"


def filtered(sql: str) -> str:
    """Put the filter in: `{visible}` for rows named r, `{visible c}` for rows named c; `{standing}` where
    refuted entries do not count; `{once visible}` also for what stands no longer; and `{main_title}`."""
    sql = sql.replace("{face}", _FACE).replace("{standing}", _STANDING).replace("{once visible}", _ONCE)
    for what, told in (("item", _TOLD), ("status", "w.status")):
        sql = sql.replace(f"{{verdict {what}}}", _VERDICT.replace("{what}", told))
    return re.sub(
        r"\{visible(?: (\w+))?\}",
        lambda found: re.sub(r"\br\.", f"{found[1] or 'r'}.", _WHOLE),
        sql.replace("{main_title}", _MAIN_TITLE).replace("{folded}", _FOLDED),
    )


def filtered_for_each(sql: str) -> str:
    """The same for one reader of many books: `{visible}` for rows of the person of `p`, a table of theirs."""
    return sql.replace("{visible}", re.sub(r"\$1(?!\d)", "p.patient_id", _WHOLE))


class Head(Struct, frozen=True):
    """What an answer changes with: the record's last number, and how old its oldest reading view is."""

    head_seq: int
    item_version: int


HEAD = Statement(Head, "SELECT head_seq, item_version FROM ehr_head WHERE patient_id = $1")


async def head_of(tx: Tx, patient_id: UUID) -> Head:
    """The head of a person's record; zeros where nothing was ever written."""
    return await HEAD.one(tx, patient_id) or Head(0, 0)


class ItemRow(Struct, frozen=True):
    """One row of a list. `item` is JSON; `main_title` the main disease of an encounter, where readable.

    mark: hidden or not-yet-released, and disputed, with a space between; in a line of its own what a doctor
    said of a declared entry, as JSON of that row's item; fold: the key of its copies.
    """

    rtype: str
    id: str
    sort_at: datetime
    section: str | None
    item: str
    mark: str | None
    fold: bytes | None
    main_title: str | None


class BodyRow(Struct, frozen=True):
    """As ItemRow, with the text of a document."""

    rtype: str
    id: str
    sort_at: datetime
    section: str | None
    item: str
    mark: str | None
    fold: bytes | None
    main_title: str | None
    body: str | None


SECTION_PAGE = Statement(
    ItemRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {face}, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND r.section = $10 AND {folded} AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
DOCUMENT_PAGE = Statement(
    BodyRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {face}, NULL::text AS main_title, r.body
        FROM ehr_resource r
        WHERE {visible} AND r.section = $10 AND {folded} AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
# One entry by its id, also a copy that lists fold into another: both name the same senders.
ONE_ENTRY = Statement(
    ItemRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {face}, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND r.section = $10 AND r.id = $11
        ORDER BY r.rtype LIMIT 1
        """
    ),
)
SEARCH_PAGE = Statement(
    ItemRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {face}, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND r.section IS NOT NULL AND r.title_folded LIKE ALL ($10::text[]) AND {folded}
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
    mark: str | None
    fold: bytes | None


TREND = Statement(
    TrendRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.item, {face} FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'Observation' AND r.code = $10 AND {folded}
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $11
        """
    ),
)

# Visits, and things that belong to no visit the reader can see. CASE keeps the planner on the index by time:
# a page is found without sorting the record.
TIMELINE_HEADS = Statement(
    ItemRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.section, r.item, {face}, {main_title}
        FROM ehr_resource r
        WHERE {visible} AND (r.sort_at, r.id) < ($10, $11)
            AND ($14::timestamptz IS NULL OR r.sort_at >= $14)
            AND CASE WHEN r.section = 'encounters' THEN NOT $15::boolean OR EXISTS (
                    SELECT 1 FROM ehr_resource i
                    WHERE {visible i} AND i.encounter_id = r.id AND i.section = ANY ($12::text[]))
                ELSE r.section = ANY ($12::text[]) AND (r.encounter_id IS NULL OR NOT EXISTS (
                    SELECT 1 FROM ehr_resource e
                    WHERE {visible e} AND e.rtype = 'Encounter' AND e.id = r.encounter_id)) AND {folded} END
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
    mark: str | None
    fold: bytes | None


VISIT_ITEMS = Statement(
    VisitItemRow,
    filtered(
        """
        SELECT n.rtype, n.id, n.encounter_id, n.section, n.item, n.mark, n.fold FROM (
            SELECT r.rtype, r.id, r.encounter_id, r.section, r.item, {face},
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
    mark: str | None
    fold: bytes | None
    main_title: str | None
    updated: datetime
    negative: bool
    facility_id: UUID | None
    facility_name: str | None


# A template's columns are those of the outer SELECT; `place` comes first in a part's order, then the date.
_LIST = """
    (SELECT '{part}' AS part, 0 AS place, v.sort_at, v.rtype, v.id, v.item, v.mark, v.fold,
        NULL::text AS main_title, v.updated, v.facility_id, v.negative
    FROM v WHERE {which} ORDER BY v.sort_at DESC, v.id DESC LIMIT {limit})"""
_NEWEST_PER_CODE = """
    (SELECT '{part}' AS part, -n.flag AS place, n.sort_at, n.rtype, n.id, n.item, n.mark, n.fold,
        NULL::text AS main_title, n.updated, n.facility_id, n.negative
    FROM newest n WHERE n.section = '{part}' ORDER BY n.flag DESC, n.sort_at DESC, n.id DESC LIMIT {limit})"""
_VISITS = """
    (SELECT '{part}' AS part, 0 AS place, v.sort_at, v.rtype, v.id, v.item, v.mark, v.fold,
        (SELECT c.title FROM v c WHERE c.rtype = 'Condition' AND c.id = v.main_id) AS main_title,
        v.updated, v.facility_id, v.negative
    FROM v WHERE {which} ORDER BY v.sort_at DESC, v.id DESC LIMIT {limit})"""
# What a facility found stands before what somebody only said.
_PER_SYSTEM = """
    (SELECT '{part}' AS part, (n.facility_id IS NULL)::int AS place, n.sort_at, n.rtype, n.id,
        n.item, n.mark, n.fold, NULL::text AS main_title, n.updated, n.facility_id, n.negative
    FROM (VALUES ('883-9'), ('10331-7'), ('882-1')) AS c (code) CROSS JOIN LATERAL (
        SELECT v.* FROM v WHERE v.rtype = 'Observation' AND v.code = c.code
        ORDER BY v.sort_at DESC, v.id DESC LIMIT {limit}) n
    ORDER BY n.facility_id IS NULL, n.sort_at DESC, n.id DESC LIMIT {limit})"""

_ALONE = """(NOT v.twin OR NOT EXISTS (
        SELECT 1 FROM v d WHERE d.fold_key = v.fold_key AND d.source_id < v.source_id))"""
# Each limit is one more than is shown: the last row only says that there is more.
_PARTS = (
    (_LIST, "allergies", "v.section = 'allergies' AND v.status NOT IN ('inactive', 'resolved')", 101),
    (_LIST, "alerts", "v.section = 'alerts' AND v.active_until >= $6", 21),
    (_LIST, "problems", "v.section = 'problems' AND v.active_until IS NOT NULL AND {alone}", 101),
    (_LIST, "problems", "v.section = 'problems' AND v.negative", 3),
    (_LIST, "medications", "v.section = 'medications' AND v.active_until >= $6 AND {alone}", 101),
    (_LIST, "medications", "v.section = 'medications' AND v.negative", 3),
    (_NEWEST_PER_CODE, "results", "", 41),
    (_VISITS, "encounters", "v.section = 'encounters' AND v.status <> 'cancelled'", 4),
    (_LIST, "immunizations", "v.section = 'immunizations' AND {alone}", 41),
    (_NEWEST_PER_CODE, "pregnancy", "", 6),
    (_LIST, "devices", "v.section = 'devices'", 21),
    (_LIST, "procedures", "v.section = 'procedures'", 21),
    (_NEWEST_PER_CODE, "vital-signs", "", 16),
    (_LIST, "care-plans", "v.section = 'care-plans' AND v.active_until >= $6", 11),
    (_LIST, "care-plans", "v.section = 'programmes' AND v.active_until >= $6", 8),
    (
        _LIST,
        "past-problems",
        "v.section = 'problems' AND NOT v.negative AND v.active_until IS NULL AND {alone}",
        21,
    ),
    (_NEWEST_PER_CODE, "social", "", 11),
    # Every reported blood group, so that a conflict shows both sources (security.md S17).
    (_PER_SYSTEM, "blood-group", "", 5),
)
SHOWN = {part: max(limit for _, other, _, limit in _PARTS if other == part) - 1 for _, part, _, _ in _PARTS}


def _part(template: str, part: str, which: str, limit: int) -> str:
    which = which.replace("{alone}", _ALONE)
    return template.replace("{part}", part).replace("{which}", which).replace("{limit}", str(limit))


# The index of a test's results, newest first (0132); the list of sections lets a plan use it.
_SERIES = "left(coalesce({0}.code, {0}.title_folded), 200)"
_IN_SERIES = "{0}.section IN ('results', 'vital-signs', 'pregnancy', 'social')"
# From test to test by the index, and of each the newest row that is visible: what a record holds besides
# does not count. v is not materialized: every part walks its own index as far as its limit. asyncpg keeps
# a statement prepared only up to 15 kB of text, so the filter is written once.
_SUMMARY = """
        WITH RECURSIVE series AS (
            SELECT s.section, (
                SELECT {x series} FROM ehr_resource x
                WHERE x.patient_id = $1 AND x.section = s.section AND {x in} ORDER BY 1 LIMIT 1) AS series
            FROM (VALUES ('results'), ('vital-signs'), ('pregnancy'), ('social')) AS s (section)
            UNION ALL
            SELECT s.section, (
                SELECT {x series} FROM ehr_resource x
                WHERE x.patient_id = $1 AND x.section = s.section AND {x in} AND {x series} > s.series
                ORDER BY 1 LIMIT 1)
            FROM series s WHERE s.series IS NOT NULL),
        v AS NOT MATERIALIZED (
            SELECT r.rtype, r.id, r.section, r.item, r.title, r.title_folded, r.main_id, r.code, r.status,
                r.flag, r.sort_at, r.active_until, r.updated, r.facility_id, r.negative, r.twin, r.fold_key,
                r.source_id, {face}
            FROM ehr_resource r WHERE {visible} AND {standing}),
        newest AS MATERIALIZED (
            SELECT n.* FROM series s CROSS JOIN LATERAL (
                SELECT v.* FROM v
                WHERE v.section = s.section AND {v in} AND {v series} = s.series AND v.status <> 'cancelled'
                    AND {alone}
                ORDER BY v.sort_at DESC, v.id DESC LIMIT 1) n
            WHERE s.series IS NOT NULL)
        SELECT s.part, s.rtype, s.id, s.item, s.mark, s.fold, s.main_title, s.updated, s.negative,
            s.facility_id, f.name AS facility_name
        FROM ({parts}) s LEFT JOIN facility f ON f.facility_id = s.facility_id
        ORDER BY s.place, s.sort_at DESC, s.id DESC
        """


def _summary() -> str:
    sql = _SUMMARY.replace("{parts}", " UNION ALL ".join(_part(*part) for part in _PARTS))
    sql = sql.replace("{alone}", _ALONE)
    for name in "xv":
        sql = sql.replace(f"{{{name} series}}", _SERIES.format(name))
        sql = sql.replace(f"{{{name} in}}", _IN_SERIES.format(name))
    return filtered(sql)


SUMMARY = Statement(SummaryRow, _summary())


class ElsewhereRow(Struct, frozen=True):
    """A recent result of another facility than the reader's."""

    rtype: str
    id: str
    code_system: str | None
    code: str
    item: str


# Newest first; the range of the time index ends after the days that are looked back.
ELSEWHERE = Statement(
    ElsewhereRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.code_system, r.code, r.item FROM ehr_resource r
        WHERE {visible} AND r.section = 'results' AND r.code IS NOT NULL AND r.status <> 'cancelled'
            AND r.sort_at >= $10 AND r.facility_id <> $11
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 500
        """
    ),
)


class SourceRow(Struct, frozen=True):
    """One of the copies of an item, with its sender."""

    rtype: str
    id: str
    fold: bytes | None
    facility_name: str | None
    item: str


SOURCES = Statement(
    SourceRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.fold_key AS fold, f.name AS facility_name, r.item
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.fold_key = ANY ($10::bytea[])
        ORDER BY r.fold_key, r.source_id, r.id
        """
    ),
)


class PendingRow(Struct, frozen=True):
    """A result that waits for its release: its kind and when, nothing of it."""

    section: str | None
    release_at: datetime | None
    facility_name: str | None


# With $7 false the filter lets through what the person does not see yet.
PENDING = Statement(
    PendingRow,
    filtered(
        """
        SELECT r.section, r.release_at, f.name AS facility_name
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.release_at > $6 ORDER BY r.release_at, r.id LIMIT 200
        """
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
    filtered(
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


class ChangeRow(Struct, frozen=True):
    """A row whose number moved. is_shown: the reader sees it now, else it left the reader's sight."""

    seq: int
    rtype: str
    id: str
    section: str | None
    encounter_id: str | None
    item: str
    mark: str | None
    fold: bytes | None
    main_title: str | None
    body: str | None
    is_shown: bool | None


# $10 the number that was read up to; $11 the one at the end of the last whole reading: what left the sight
# of the reader since then is told, and what never was in it is not. Rows behind labels, types or a merge are
# not told at all, but for those whose version of then was.
CHANGES = Statement(
    ChangeRow,
    filtered(
        """
        SELECT r.seq, r.rtype, r.id, r.section, r.encounter_id, r.item, {face}, {main_title},
            CASE WHEN r.section IN ('imaging', 'documents') THEN r.body END AS body,
            (r.section IS NOT NULL AND {visible} AND {folded}) AS is_shown
        FROM ehr_resource r
        WHERE r.patient_id = $1 AND r.seq > $10 AND NOT r.negative AND (
            ({visible} AND (r.section IS NOT NULL OR r.version > 1))
            OR (r.gone_seq > $11 AND r.labels & $2::int = 0
                AND ($3::text[] IS NULL OR r.record_type = ANY ($3::text[]))
                AND (r.origin_patient_id IS NULL OR r.origin_patient_id = ANY ($9::uuid[])))
            OR (r.labels & $2::int <> 0 AND r.version > 1 AND EXISTS (
                SELECT 1 FROM ehr_history h
                WHERE h.patient_id = $1 AND h.rtype = r.rtype AND h.id = r.id AND h.seq <= $11
                    AND h.labels & $2::int = 0 AND NOT EXISTS (
                        SELECT 1 FROM ehr_history later
                        WHERE later.patient_id = $1 AND later.rtype = h.rtype AND later.id = h.id
                            AND later.version > h.version AND later.seq <= $11))))
        ORDER BY r.seq LIMIT $12
        """
    ),
)


class NegativeRow(Struct, frozen=True):
    """A 'none known', which goes when something becomes known though nobody writes it."""

    rtype: str
    id: str
    section: str | None
    encounter_id: str | None
    item: str
    mark: str | None
    fold: bytes | None
    is_shown: bool | None


NEGATIVES = Statement(
    NegativeRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.section, r.encounter_id, r.item, {face}, {visible} AS is_shown
        FROM ehr_resource r
        WHERE r.patient_id = $1 AND r.negative AND r.section IS NOT NULL AND r.labels & $2::int = 0
            AND ($3::text[] IS NULL OR r.record_type = ANY ($3::text[]))
            AND (r.origin_patient_id IS NULL OR r.origin_patient_id = ANY ($9::uuid[]))
        ORDER BY r.rtype, r.id LIMIT 200
        """
    ),
)


class StudyRow(Struct, frozen=True):
    """An imaging study that the reader may see."""

    facility_id: UUID | None
    doc: str


STUDY = Statement(
    StudyRow,
    filtered(
        """
        SELECT r.facility_id, r.doc FROM ehr_resource r
        WHERE {visible} AND r.rtype = 'ImagingStudy' AND r.id = $10
        """
    ),
)
