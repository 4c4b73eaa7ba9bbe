"""All SQL of papers that people add."""

from ehr.own_documents.models import FileRow, Room
from store.statement import Command, Scalar, Statement

_FILE = (
    "SELECT patient_id, document_id, item_id, blob_id, media_type, length_bytes, added_by, added_at"
    " FROM ehr_own_document"
)
INSERT_FILE = Command(
    """
    INSERT INTO ehr_own_document (patient_id, document_id, item_id, blob_id, media_type, length_bytes, sha256,
        added_by, added_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    """
)
FILE_BY_ID = Statement(FileRow, _FILE + " WHERE patient_id = $1 AND document_id = $2")
FILE_BY_ITEM = Statement(FileRow, _FILE + " WHERE patient_id = $1 AND item_id = $2 FOR UPDATE")
DELETE_FILE = Command("DELETE FROM ehr_own_document WHERE patient_id = $1 AND document_id = $2")
IN_BLOB = Scalar(
    int, "SELECT 1 AS named FROM ehr_own_document WHERE patient_id = $1 AND blob_id = $2 LIMIT 1"
)
ROOM = Statement(
    Room,
    "SELECT count(*)::int AS documents, coalesce(sum(length_bytes), 0)::bigint AS bytes"
    " FROM ehr_own_document WHERE patient_id = $1",
)
