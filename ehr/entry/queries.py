"""All SQL of manual entries."""

from uuid import UUID

from ehr.entry.models import EntryRow
from store.statement import Command, Scalar, Statement

INSERT_ENTRY = Command(
    """
    INSERT INTO ehr_entry
        (id_hash, entry_id, version, status, recorded_at, changed_at, recorded_by, changed_by)
    VALUES ($1, $2, 1, 'recorded', $3, $3, $4, $4)
    """
)
ENTRY_BY_HASH = Statement(
    EntryRow,
    """
    SELECT entry_id, version, status, recorded_at, changed_at, changed_by FROM ehr_entry WHERE id_hash = $1
    """,
)
LOCK_ENTRY = Statement(
    EntryRow,
    """
    SELECT entry_id, version, status, recorded_at, changed_at, changed_by FROM ehr_entry WHERE id_hash = $1
    FOR UPDATE
    """,
)
CHANGE_ENTRY = Statement(
    EntryRow,
    """
    UPDATE ehr_entry SET version = version + 1, status = $2, changed_at = $3, changed_by = $4
    WHERE id_hash = $1
    RETURNING entry_id, version, status, recorded_at, changed_at, changed_by
    """,
)
# Whom the entry was written to; nobody while it waits in quarantine.
PATIENT_OF_UNIT = Scalar(UUID, "SELECT patient_id FROM ehr_unit WHERE id_hash = $1 FOR UPDATE")
