"""All SQL of what partners are handed. Every statement carries the one filter of ehr/reads/queries.py."""

from datetime import datetime

from msgspec import Struct

from ehr.intake.systems import DOCUMENT_KIND
from ehr.reads.queries import filtered
from store.statement import Statement

# One more is asked for: it only says that there is more.
HISTORY_MAX = 2_000
# Of a visit: what a long stay repeats every hour would bury the rest.
INSIDE_MAX = 300
PAPERS = ("discharge", "referral", "summary")
PATIENTS_MAX = 20
_SHOWN = f"n.place <= {INSIDE_MAX}"


class LifeRow(Struct, frozen=True):
    """doc: of a dose, for its antigens, and of what a facility reported of the person. negative: an explicit
    "none known"."""

    rtype: str
    id: str
    section: str | None
    item: str
    mark: str | None
    fold: bytes | None
    negative: bool
    doc: str | None


# What belongs to no encounter, of both groups in one: the history, and the person as facilities reported it.
LIFE = Statement(
    LifeRow,
    filtered(
        f"""
        SELECT l.rtype, l.id, l.section, l.item, l.mark, l.fold, l.negative, l.doc FROM (
            (SELECT r.rtype, r.id, r.section, r.item, {{face}}, r.negative,
                CASE WHEN r.section = 'immunizations' THEN r.doc END AS doc, r.sort_at AS at
            FROM ehr_resource r
            WHERE {{visible}} AND {{standing}} AND r.section IN ('allergies', 'problems', 'immunizations')
                AND $10::boolean AND r.status <> 'not-done' AND {{folded}}
            ORDER BY r.sort_at DESC, r.id DESC LIMIT {HISTORY_MAX + 1})
            UNION ALL
            (SELECT r.rtype, r.id, NULL, r.item, NULL, NULL, false, r.doc, r.updated AS at
            FROM ehr_resource r WHERE {{visible}} AND r.rtype = 'Patient' AND $11::boolean
            ORDER BY r.updated DESC, r.id LIMIT {PATIENTS_MAX})
        ) l ORDER BY l.at DESC, l.id DESC
        """  # noqa: S608 - constants of ours
    ),
)


class VisitRow(Struct, frozen=True):
    """One encounter with what its item leaves out, as UTF-8: what is decoded at once is made no text first.
    main_id: its main disease, where that may be read."""

    rtype: str
    id: str
    sort_at: datetime
    item: bytes
    mark: str | None
    fold: bytes | None
    main_id: str | None
    doc: bytes


VISITS = Statement(
    VisitRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, convert_to(r.item, 'UTF8') AS item, {face}, r.main_id,
            convert_to(r.doc, 'UTF8') AS doc
        FROM ehr_resource r
        WHERE {visible} AND r.section = 'encounters' AND r.status <> 'cancelled'
            AND ($10::timestamptz IS NULL OR r.sort_at >= $10) AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $13
        """
    ),
)
# For a paper, which is handed over: what the person hides, from whomever, is not on it.
VISIT = Statement(
    VisitRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, convert_to(r.item, 'UTF8') AS item, {face}, r.main_id,
            convert_to(r.doc, 'UTF8') AS doc
        FROM ehr_resource r
        WHERE {visible} AND r.section = 'encounters' AND r.id = $10 AND r.hidden_from IS NULL
        """
    ),
)


class InsideRow(Struct, frozen=True):
    """All things of one kind in a page of visits, side by side and in the order of the visits.

    visits: which of $10 each belongs to, from one. items: a JSON array, as UTF-8. bodies, docs: of papers
    alone. more: visits that hold more than is listed.
    """

    section: str | None
    rtype: str
    visits: list[int]
    ids: list[str]
    marks: list[str | None]
    items: bytes
    bodies: list[str | None]
    docs: list[str | None]
    more: list[int]


# Where diagnoses are asked for, those that are no disease count too, and of vital signs height and weight,
# which alone belong to the data set (LOINC 8302-2, 29463-7). Of papers those whose fields we know. The
# order of kinds is nobody's to see: "C" is the fastest.
INSIDE = Statement(
    InsideRow,
    filtered(
        f"""
        SELECT n.section, n.rtype,
            coalesce(array_agg(n.visit ORDER BY n.visit, n.place) FILTER (WHERE {_SHOWN}), '{{}}') AS visits,
            coalesce(array_agg(n.id ORDER BY n.visit, n.place) FILTER (WHERE {_SHOWN}), '{{}}') AS ids,
            coalesce(array_agg(n.mark ORDER BY n.visit, n.place) FILTER (WHERE {_SHOWN}), '{{}}') AS marks,
            convert_to('[' || coalesce(string_agg(n.item, ',' ORDER BY n.visit, n.place)
                FILTER (WHERE {_SHOWN}), '') || ']', 'UTF8') AS items,
            coalesce(array_agg(n.body ORDER BY n.visit, n.place)
                FILTER (WHERE {_SHOWN} AND n.section = 'documents'), '{{}}') AS bodies,
            coalesce(array_agg(n.doc ORDER BY n.visit, n.place)
                FILTER (WHERE {_SHOWN} AND n.section = 'documents'), '{{}}') AS docs,
            coalesce(array_agg(n.visit) FILTER (WHERE NOT {_SHOWN}), '{{}}') AS more
        FROM (
            SELECT r.rtype COLLATE "C" AS rtype, r.id, r.section COLLATE "C" AS section, r.item,
                array_position($10::text[], r.encounter_id) AS visit,
                {{face}}, CASE WHEN r.section = 'documents' THEN r.body END AS body,
                CASE WHEN r.section = 'documents' THEN r.doc END AS doc,
                row_number() OVER (
                    PARTITION BY r.encounter_id ORDER BY r.section COLLATE "C", r.sort_at, r.id)::int AS place
            FROM ehr_resource r
            WHERE {{visible}} AND {{standing}} AND r.hidden_from IS NULL
                AND r.encounter_id = ANY ($10::text[])
                AND (r.section = ANY ($11::text[])
                    OR (r.rtype = 'Condition' AND 'problems' = ANY ($11::text[]))
                    OR (r.section = 'vital-signs' AND r.code IN ('8302-2', '29463-7')
                        AND 'problems' = ANY ($11::text[])))
                AND (r.section IS DISTINCT FROM 'documents'
                    OR (r.code_system = '{DOCUMENT_KIND}' AND r.code IN {PAPERS}))
                AND r.status NOT IN ('cancelled', 'registered')
        ) n
        WHERE n.place <= {INSIDE_MAX + 1} GROUP BY n.section, n.rtype ORDER BY n.section, n.rtype
        """  # noqa: S608 - constants of ours
    ),
)
