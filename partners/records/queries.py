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


class HistoryRow(Struct, frozen=True):
    """doc: of a dose alone, for its antigens. negative: an explicit "none known"."""

    rtype: str
    id: str
    section: str | None
    item: str
    mark: str | None
    fold: bytes | None
    negative: bool
    doc: str | None


HISTORY = Statement(
    HistoryRow,
    filtered(
        f"""
        SELECT r.rtype, r.id, r.section, r.item, {{face}}, r.negative,
            CASE WHEN r.section = 'immunizations' THEN r.doc END AS doc
        FROM ehr_resource r
        WHERE {{visible}} AND {{standing}} AND r.section IN ('allergies', 'problems', 'immunizations')
            AND r.status <> 'not-done' AND {{folded}}
        ORDER BY r.sort_at DESC, r.id DESC LIMIT {HISTORY_MAX + 1}
        """  # noqa: S608 - constants of ours
    ),
)


class VisitRow(Struct, frozen=True):
    """One encounter with what its item leaves out. main_id: its main disease, where that may be read."""

    rtype: str
    id: str
    sort_at: datetime
    item: str
    mark: str | None
    fold: bytes | None
    main_id: str | None
    doc: str


VISITS = Statement(
    VisitRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.sort_at, r.item, {face}, r.main_id, r.doc FROM ehr_resource r
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
        SELECT r.rtype, r.id, r.sort_at, r.item, {face}, r.main_id, r.doc FROM ehr_resource r
        WHERE {visible} AND r.section = 'encounters' AND r.id = $10 AND r.hidden_from IS NULL
        """
    ),
)


class InsideRow(Struct, frozen=True):
    """One thing of a visit. body, doc: of papers alone."""

    rtype: str
    id: str
    encounter_id: str
    section: str | None
    item: str
    mark: str | None
    body: str | None
    doc: str | None
    place: int


# Where diagnoses are asked for, those that are no disease count too, and of vital signs height and weight,
# which alone belong to the data set (LOINC 8302-2, 29463-7). Of papers those whose fields we know.
INSIDE = Statement(
    InsideRow,
    filtered(
        f"""
        SELECT n.rtype, n.id, n.encounter_id, n.section, n.item, n.mark, n.body, n.doc, n.place FROM (
            SELECT r.rtype, r.id, r.encounter_id, r.section, r.item, {{face}},
                CASE WHEN r.section = 'documents' THEN r.body END AS body,
                CASE WHEN r.section = 'documents' THEN r.doc END AS doc,
                row_number() OVER (
                    PARTITION BY r.encounter_id ORDER BY r.section, r.sort_at, r.id)::int AS place
            FROM ehr_resource r
            WHERE {{visible}} AND {{standing}} AND r.hidden_from IS NULL
                AND r.encounter_id = ANY ($10::text[])
                AND (r.section = ANY ($11::text[])
                    OR (r.rtype = 'Condition' AND 'problems' = ANY ($11::text[]))
                    OR (r.section = 'vital-signs' AND r.code IN ('8302-2', '29463-7')
                        AND 'problems' = ANY ($11::text[])))
                AND (r.section <> 'documents' OR (r.code_system = '{DOCUMENT_KIND}' AND r.code IN {PAPERS}))
                AND r.status NOT IN ('cancelled', 'registered')
        ) n
        WHERE n.place <= {INSIDE_MAX + 1} ORDER BY n.encounter_id, n.place
        """  # noqa: S608 - constants of ours
    ),
)


class PatientRow(Struct, frozen=True):
    """What a facility reported of the person beside name and numbers."""

    id: str
    doc: str


PATIENTS = Statement(
    PatientRow,
    filtered(
        f"""
        SELECT r.id, r.doc FROM ehr_resource r WHERE {{visible}} AND r.rtype = 'Patient'
        ORDER BY r.updated DESC, r.id LIMIT {PATIENTS_MAX}
        """  # noqa: S608 - constants of ours
    ),
)
