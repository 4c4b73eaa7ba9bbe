"""All SQL about other cores, and what the embedded one is read with behind the one filter."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ehr.core.notices import Subscription
from ehr.core.policy import LinkRow, PartRow
from ehr.queries import StoredRow
from ehr.reads.queries import filtered
from store.statement import Command, Scalar, Statement

# One refresh per person at a time; a head that is not there yet is made.
TAKE_LEASE = Scalar(
    bool,
    """
    INSERT INTO ehr_head AS h (patient_id, head_seq, refreshed_at, item_version, refresh_lease_until)
    VALUES ($1, 0, $2, $3, $4)
    ON CONFLICT (patient_id) DO UPDATE SET refresh_lease_until = EXCLUDED.refresh_lease_until
        WHERE h.refresh_lease_until IS NULL OR h.refresh_lease_until <= $2
    RETURNING true
    """,
)
RELEASE_LEASE = Command(
    "UPDATE ehr_head SET refresh_lease_until = NULL WHERE patient_id = $1 AND refresh_lease_until = $2"
)

LINK = Statement(
    LinkRow,
    "SELECT state, core_patient, checked_at FROM ehr_core_link WHERE patient_id = $1 AND source_id = $2",
)
KEEP_LINK = Command(
    """
    INSERT INTO ehr_core_link AS l (patient_id, source_id, state, core_patient, checked_at, since)
    VALUES ($1, $2, $3, $4, $5, $5)
    ON CONFLICT (patient_id, source_id) DO UPDATE SET state = EXCLUDED.state,
        core_patient = EXCLUDED.core_patient, checked_at = EXCLUDED.checked_at,
        since = CASE WHEN l.state = EXCLUDED.state THEN l.since ELSE EXCLUDED.since END
    """
)


class UnclearLink(Struct, frozen=True):
    """A person whom a core knows twice, or as somebody else."""

    patient_id: UUID
    source_id: str
    state: str
    since: datetime


UNCLEAR_LINKS = Statement(
    UnclearLink,
    """
    SELECT patient_id, source_id, state, since FROM ehr_core_link WHERE state IN ('conflict', 'mismatch')
    ORDER BY since LIMIT $1
    """,
    fan_out="an operator's list of what somebody must clear up at the core",
)

PARTS = Statement(
    PartRow,
    """
    SELECT part, asked_at, watermark, full_at, failed_at, whole, complete, failure
    FROM ehr_core_part WHERE patient_id = $1 AND source_id = $2
    """,
)
KEEP_PART = Command(
    """
    INSERT INTO ehr_core_part (patient_id, source_id, part, asked_at, watermark, full_at, failed_at,
        received, refused, whole, complete, failure)
    VALUES ($1, $2, $3, $4, $4, $5, NULL, $6, $7, $8, $9, NULL)
    ON CONFLICT (patient_id, source_id, part) DO UPDATE SET asked_at = EXCLUDED.asked_at,
        watermark = EXCLUDED.watermark, full_at = EXCLUDED.full_at, failed_at = NULL,
        received = EXCLUDED.received, refused = EXCLUDED.refused, whole = EXCLUDED.whole,
        complete = EXCLUDED.complete, failure = NULL
    """
)
KEEP_FAILURE = Command(
    """
    INSERT INTO ehr_core_part (patient_id, source_id, part, failed_at, received, refused, whole, complete,
        failure)
    VALUES ($1, $2, $3, $4, 0, 0, false, false, $5)
    ON CONFLICT (patient_id, source_id, part) DO UPDATE SET failed_at = EXCLUDED.failed_at,
        failure = EXCLUDED.failure
    """
)
ROWS_OF_SOURCE = Statement(
    StoredRow,
    """
    SELECT rtype, id, version, labels, deleted, source_id, unit, content_sha256, origin_patient_id,
        CASE WHEN twin THEN fold_key END AS fold_key, method
    FROM ehr_resource
    WHERE patient_id = $1 AND rtype = ANY($2::text[]) AND source_id = $3 AND NOT deleted
        AND origin_patient_id IS NOT DISTINCT FROM $4
    """,
)


class VisitDoc(Struct, frozen=True):
    """A visit that is kept, for what its department says of the rest."""

    id: str
    doc: str


LABELLED_VISITS = Statement(
    VisitDoc,
    """
    SELECT id, doc FROM ehr_resource
    WHERE patient_id = $1 AND rtype = 'Encounter' AND source_id = $2 AND labels <> 0 AND NOT deleted
        AND origin_patient_id IS NOT DISTINCT FROM $3
    """,
)


class DocRow(Struct, frozen=True):
    """A resource as it is kept."""

    rtype: str
    id: str
    version: int
    updated: datetime
    doc: str


DOC_BY_ID = Statement(
    DocRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.version, r.updated, r.doc FROM ehr_resource r
        WHERE {visible} AND r.rtype = $10 AND r.id = $11
        """
    ),
)
DOCS_OF_TYPE = Statement(
    DocRow,
    filtered(
        """
        SELECT r.rtype, r.id, r.version, r.updated, r.doc FROM ehr_resource r
        WHERE {visible} AND r.rtype = $10 AND ($11::timestamptz IS NULL OR r.updated >= $11)
            AND ($12::timestamptz IS NULL OR r.eff_until >= $12)
        """
    ),
)
DELETED_IDS = Scalar(
    str,
    "SELECT id FROM ehr_resource WHERE patient_id = $1 AND rtype = $2 AND deleted AND updated >= $3",
)

# From a Patient of a core to whoever is linked with it here.
KEEP_CORE_PATIENT = Command(
    "INSERT INTO ehr_core_patient (id_hash, patient_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
)
PEOPLE_OF_CORE_PATIENT = Scalar(UUID, "SELECT patient_id FROM ehr_core_patient WHERE id_hash = $1")
LINKED_PAGE = Scalar(
    UUID,
    """
    SELECT patient_id FROM ehr_core_link WHERE source_id = $1 AND state = 'linked' AND patient_id > $2
    ORDER BY patient_id LIMIT $3
    """,
    fan_out="everybody linked, by pages, after events of a core were lost",
)

_SUBSCRIPTION = """
    SELECT source_id, secret_sha256, subscription, heartbeat_seconds, created_at, heard_at, seen_until, told,
        ahead, caught_up_at
    FROM ehr_core_subscription WHERE source_id = $1
"""
SUBSCRIPTION = Statement(Subscription, _SUBSCRIPTION)
SUBSCRIPTION_LOCKED = Statement(Subscription, _SUBSCRIPTION + " FOR UPDATE")
BEGIN_SUBSCRIPTION = Command(
    """
    INSERT INTO ehr_core_subscription AS s (source_id, secret_sha256, subscription, heartbeat_seconds,
        created_at, heard_at, seen_until, told, ahead, caught_up_at)
    VALUES ($1, $2, NULL, $3, $4, NULL, 0, 0, '{}', NULL)
    ON CONFLICT (source_id) DO UPDATE SET secret_sha256 = EXCLUDED.secret_sha256, subscription = NULL,
        heartbeat_seconds = EXCLUDED.heartbeat_seconds, created_at = EXCLUDED.created_at, heard_at = NULL,
        seen_until = 0, told = 0, ahead = '{}', caught_up_at = NULL
    """
)
NAME_SUBSCRIPTION = Command("UPDATE ehr_core_subscription SET subscription = $2 WHERE source_id = $1")
HEAR = Command(
    "UPDATE ehr_core_subscription SET heard_at = $2, seen_until = $3, told = $4, ahead = $5::bigint[]"
    " WHERE source_id = $1"
)
CAUGHT_UP = Command(
    "UPDATE ehr_core_subscription SET seen_until = $2, ahead = '{}', caught_up_at = $3 WHERE source_id = $1"
)
END_SUBSCRIPTION = Scalar(
    bool, "DELETE FROM ehr_core_subscription WHERE source_id = $1 RETURNING subscription IS NOT NULL AS ended"
)
