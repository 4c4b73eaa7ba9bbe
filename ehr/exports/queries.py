"""All SQL of exports. Every statement carries the one filter of ehr/reads/queries.py."""

from datetime import datetime

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# One more is asked for: it only says that there is more.
ROWS_MAX = 100_000
BOOK_LINES_MAX = 20_000
# Characters of a paper's text in the book.
BOOK_TEXT_MAX = 3_000


class KeptRow(Struct, frozen=True):
    """A resource as it is kept, with what its references are resolved by. labels: a mask of Label."""

    rtype: str
    id: str
    source_id: str
    section: str | None
    updated: datetime
    doc: str
    labels: int = 0


KEPT_ROWS = Statement(
    KeptRow,
    filtered(
        f"""
        SELECT r.rtype, r.id, r.source_id, r.section, r.updated, r.doc, r.labels
        FROM ehr_resource r
        WHERE {{visible}} ORDER BY r.sort_at DESC, r.id DESC LIMIT {ROWS_MAX + 1}
        """  # noqa: S608 - a constant of ours
    ),
)
KEPT_BY_ID = Statement(
    KeptRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.source_id, r.section, r.updated, r.doc, r.labels
        FROM ehr_resource r
        WHERE {visible} AND r.id = ANY ($10::text[])
        """
    ),
)


class BookRow(Struct, frozen=True):
    """One line of the printed book. mark and fold as in ehr/reads/queries.py; body: the text of a paper."""

    rtype: str
    id: str
    section: str
    item: str
    mark: str | None
    fold: bytes | None
    main_title: str | None
    body: str | None = None


# What a visit repeats: so many rows are folded on the doctor's page, where the summary was cut sooner.
REPEATED_ROWS_MAX = 5_000
# What is active of one section, as the summary lists it, only further.
REPEATED_ROWS = Statement(
    BookRow,
    filtered(
        f"""
        SELECT r.rtype, r.id, r.section, r.item, {{face}}, NULL::text AS main_title, NULL::text AS body
        FROM ehr_resource r
        WHERE {{visible}} AND {{standing}} AND r.section = $10 AND NOT r.negative AND {{folded}}
            AND r.active_until >= CASE WHEN r.section = 'problems' THEN '-infinity' ELSE $6::timestamptz END
        ORDER BY r.sort_at DESC, r.id DESC LIMIT {REPEATED_ROWS_MAX + 1}
        """  # noqa: S608 - a constant of ours
    ),
)
# A paper is handed over: what the person hides, from whomever, is not on it.
BOOK_ROWS = Statement(
    BookRow,
    filtered(
        f"""
        SELECT r.rtype, r.id, r.section, r.item, {{face}},
            (SELECT c.title FROM ehr_resource c
            WHERE {{visible c}} AND c.rtype = 'Condition' AND c.id = r.main_id AND c.hidden_from IS NULL)
            AS main_title, left(r.body, {BOOK_TEXT_MAX}) AS body
        FROM ehr_resource r
        WHERE {{visible}} AND r.section IS NOT NULL AND r.hidden_from IS NULL AND {{folded}}
        ORDER BY r.sort_at DESC, r.id DESC LIMIT {BOOK_LINES_MAX + 1}
        """  # noqa: S608 - a constant of ours
    ),
)
CONTENT = Statement(
    KeptRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.source_id, r.section, r.updated, r.doc, r.labels
        FROM ehr_resource r
        WHERE {visible} AND r.id = $10 AND r.rtype IN ('DocumentReference', 'DiagnosticReport')
        """
    ),
)
# Asked again while a content is on its way: index columns only.
STILL_THERE = Scalar(
    int,
    filtered(
        """
        SELECT 1 AS there FROM ehr_resource r
        WHERE {visible} AND r.id = $10 AND r.rtype IN ('DocumentReference', 'DiagnosticReport')
        """
    ),
)
