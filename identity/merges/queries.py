"""SQL of merges: aliases, origins, holds and how far a merge is."""

from uuid import UUID

from msgspec import Struct

from identity.merges.models import Merge, OriginRow
from identity.models import PersonState
from store.statement import Command, Scalar, Statement

SURVIVOR = Scalar(UUID, "SELECT survivor_id FROM person_alias WHERE patient_id = $1")
INSERT_ALIAS = Command(
    "INSERT INTO person_alias (patient_id, survivor_id, merge_id, since) VALUES ($1, $2, $3, $4)"
)
# An alias always leads to the end of the line, so that a look-up is one statement.
POINT_ALIAS = Command("UPDATE person_alias SET survivor_id = $2 WHERE patient_id = $1")
DELETE_ALIAS = Command("DELETE FROM person_alias WHERE patient_id = $1 AND merge_id = $2")

INSERT_ORIGIN = Command(
    "INSERT INTO person_origin (patient_id, origin_id, merge_id, visible_at, needs_proof)"
    " VALUES ($1, $2, $3, $4, $5)"
)
# Whoever is on either side of a merge is held by it while it stands and after.
MERGES_OF_PERSON = Scalar(UUID, "SELECT DISTINCT merge_id FROM person_hold WHERE patient_id = $1")
IS_SEEN = Scalar(
    bool,
    "SELECT true AS seen FROM person_origin WHERE patient_id = $1 AND origin_id = $2 AND visible_at <= $3"
    " AND moved_at IS NOT NULL AND (proven_at IS NOT NULL OR NOT needs_proof)",
)
ORIGINS = Statement(
    OriginRow,
    "SELECT origin_id, merge_id, visible_at, needs_proof, proven_at, moved_at FROM person_origin"
    " WHERE patient_id = $1 ORDER BY origin_id",
)
ORIGINS_MOVED = Command("UPDATE person_origin SET moved_at = $3 WHERE patient_id = $1 AND merge_id = $2")
PROVE_ORIGIN = Scalar(
    UUID,
    "UPDATE person_origin SET proven_at = $3 WHERE patient_id = $1 AND merge_id = $2 AND proven_at IS NULL"
    " RETURNING merge_id",
)
DELETE_ORIGINS = Command("DELETE FROM person_origin WHERE patient_id = $1 AND merge_id = $2")
MERGE_OF_ALIAS = Scalar(UUID, "SELECT merge_id FROM person_alias WHERE patient_id = $1")

INSERT_HOLD = Command(
    "INSERT INTO person_hold (patient_id, hold_id, merge_id, held_from, held_until)"
    " VALUES ($1, $2, $3, $4, $5)"
)
DELETE_HOLDS = Command("DELETE FROM person_hold WHERE patient_id = $1 AND merge_id = $2")

SET_STATE = Command("UPDATE citizen SET state = $2 WHERE patient_id = $1")


class Standing(Struct, frozen=True):
    """What a merge has to know of a person, under the lock of the row."""

    level: int
    state: PersonState


LOCK_PERSON = Statement(Standing, "SELECT level, state FROM citizen WHERE patient_id = $1 FOR NO KEY UPDATE")
HAS_ACCOUNT = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM device WHERE patient_id = $1) OR EXISTS (SELECT FROM patient_identifier_rev"
    " WHERE patient_id = $1 AND state = 'verified') OR EXISTS (SELECT FROM phone WHERE patient_id = $1"
    " AND role = 'login') AS has_account",
)
HAS_NATIONAL_ID = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM patient_identifier_rev WHERE patient_id = $1 AND kind = 'national-id'"
    " AND status = 'live' AND state <> 'self-declared') AS has_number",
)

INSERT_MERGE = Command(
    "INSERT INTO person_merge (merge_id, merged_id, survivor_id, state, merged_state, lineage, seq_offset,"
    " rows_moved, decided_at) VALUES ($1, $2, $3, 'moving', $4, $5, $6, 0, $7)"
)
_MERGE = (
    "SELECT merge_id, merged_id, survivor_id, state, merged_state, lineage, rows_moved, decided_at, moved_at,"
    " undone_at FROM person_merge WHERE merge_id = $1"
)
MERGE_BY_ID = Statement(Merge, _MERGE)
LOCK_MERGE = Statement(Merge, _MERGE + " FOR UPDATE")
SET_MERGE = Command(
    "UPDATE person_merge SET state = $2, rows_moved = rows_moved + $3, moved_at = coalesce($4, moved_at),"
    " undone_at = coalesce($5, undone_at) WHERE merge_id = $1"
)
