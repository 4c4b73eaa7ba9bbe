"""All SQL of the FHIR endpoint. Every statement carries the one filter of ehr/reads/queries.py."""

from datetime import datetime

from msgspec import Struct

from ehr.reads.queries import filtered
from store.statement import Scalar, Statement

# What is compared code by code is read whole: more than so many entries of one type, or so many bytes of
# them, have to be narrowed by date.
CANDIDATES_MAX = 2000
BYTES_MAX = 32 * 1024 * 1024


class SizeRow(Struct, frozen=True):
    """How much a search would have to read."""

    entries: int
    bytes: int


class EntryRow(Struct, frozen=True):
    """A resource as it is kept, with where it stands in a list."""

    rtype: str
    id: str
    source_id: str
    section: str | None
    updated: datetime
    doc: str
    record_type: str
    sort_at: datetime


_COLUMNS = "r.rtype, r.id, r.source_id, r.section, r.updated, r.doc, r.record_type, r.sort_at"
# $10 type, $11 ids or NULL, $12-$14 comparisons of the row's time: FHIR's prefix, from, to (R4 §3.1.1.4.6).
_ASKED = """{visible} AND {standing} AND r.rtype = $10 AND ($11::text[] IS NULL OR r.id = ANY ($11::text[]))
            AND NOT EXISTS (
                SELECT 1 FROM unnest($12::text[], $13::timestamptz[], $14::timestamptz[]) d(op, lo, hi)
                WHERE (CASE d.op
                    WHEN 'eq' THEN r.eff >= d.lo AND r.eff_until < d.hi
                    WHEN 'ne' THEN NOT (r.eff >= d.lo AND r.eff_until < d.hi)
                    WHEN 'gt' THEN r.eff_until >= d.hi
                    WHEN 'lt' THEN r.eff < d.lo
                    WHEN 'ge' THEN r.eff_until >= d.lo
                    WHEN 'le' THEN r.eff < d.hi
                    WHEN 'sa' THEN r.eff >= d.hi
                    WHEN 'eb' THEN r.eff_until < d.lo
                    ELSE r.eff < d.hi AND r.eff_until >= d.lo END) IS NOT TRUE)"""
COUNT = Scalar(
    int,
    filtered(f"SELECT count(*)::int AS total FROM ehr_resource r WHERE {_ASKED}"),  # noqa: S608
)
SIZE = Statement(
    SizeRow,
    filtered(
        f"""
        SELECT count(*)::int AS entries, coalesce(sum(octet_length(r.doc)), 0)::bigint AS bytes
        FROM ehr_resource r WHERE {_ASKED}
        """  # noqa: S608 - constants of ours
    ),
)
PAGE = Statement(
    EntryRow,
    filtered(
        f"""
        SELECT {_COLUMNS} FROM ehr_resource r WHERE {_ASKED} AND (r.sort_at, r.id) < ($15, $16)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT $17
        """  # noqa: S608 - constants of ours
    ),
)
CANDIDATES = Statement(
    EntryRow,
    filtered(
        f"""
        SELECT {_COLUMNS} FROM ehr_resource r WHERE {_ASKED}
        ORDER BY r.sort_at DESC, r.id DESC LIMIT {CANDIDATES_MAX}
        """  # noqa: S608 - constants of ours
    ),
)
# What entries point at. $10 ids, $11 types of their own.
NAMED = Statement(
    EntryRow,
    filtered(
        f"""
        SELECT {_COLUMNS} FROM ehr_resource r
        WHERE {{visible}} AND {{standing}} AND r.id = ANY ($10::text[]) AND r.rtype = ANY ($11::text[])
        """  # noqa: S608 - constants of ours
    ),
)
