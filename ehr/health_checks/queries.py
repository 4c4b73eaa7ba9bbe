"""All SQL of health checks besides the record's own rows; a check is kept like any entry (ehr/entry)."""

from datetime import datetime

from msgspec import Struct

from ehr.entry.models import EntryRow
from ehr.reads.queries import filtered
from store.statement import Statement

# A check that was withdrawn stays withdrawn: then nothing comes back.
KEEP_CHECK = Statement(
    EntryRow,
    """
    INSERT INTO ehr_entry
        (id_hash, entry_id, version, status, recorded_at, changed_at, recorded_by, changed_by)
    VALUES ($1, $2, 1, 'recorded', $3, $3, $4, $4)
    ON CONFLICT (id_hash) DO UPDATE SET version = ehr_entry.version + 1, status = 'amended',
        changed_at = EXCLUDED.changed_at, changed_by = EXCLUDED.changed_by
        WHERE ehr_entry.status <> 'withdrawn'
    RETURNING entry_id, version, status, recorded_at, changed_at, changed_by
    """,
)


class CheckRow(Struct, frozen=True):
    """A check as it is kept. visit_id: its visit, where the reader may see that; mark: as in ehr/reads."""

    rtype: str
    id: str
    sort_at: datetime
    doc: str
    facility_name: str | None
    visit_id: str | None
    mark: str | None
    fold: bytes | None


_SHOWN = """
        SELECT r.rtype, r.id, r.sort_at, r.doc, f.name AS facility_name,
            (SELECT e.id FROM ehr_resource e
            WHERE {visible e} AND e.rtype = 'Encounter' AND e.id = r.encounter_id) AS visit_id, {face}
        FROM ehr_resource r LEFT JOIN facility f ON f.facility_id = r.facility_id
        WHERE {visible} AND r.section = 'health-checks'"""
CHECKS = Statement(
    CheckRow,
    filtered(f"{_SHOWN} AND (r.sort_at, r.id) < ($10, $11) ORDER BY r.sort_at DESC, r.id DESC LIMIT $12"),
)
CHECK_BY_ID = Statement(CheckRow, filtered(f"{_SHOWN} AND r.rtype = 'QuestionnaireResponse' AND r.id = $10"))
# The newest check of the same kind before one.
CHECK_BEFORE = Statement(
    CheckRow,
    filtered(
        f"""{_SHOWN} AND r.category = $10 AND (r.sort_at, r.id) < ($11, $12)
        ORDER BY r.sort_at DESC, r.id DESC LIMIT 1"""
    ),
)
NEWEST_OF_KINDS = Statement(
    CheckRow,
    filtered(
        f"""
        SELECT n.rtype, n.id, n.sort_at, n.doc, n.facility_name, n.visit_id, n.mark, n.fold
        FROM unnest($10::text[]) AS k (kind) CROSS JOIN LATERAL ({_SHOWN} AND r.category = k.kind
            ORDER BY r.sort_at DESC, r.id DESC LIMIT 1) n
        """  # noqa: S608 - constants of ours
    ),
)
