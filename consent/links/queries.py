"""All SQL of links."""

from uuid import UUID

from msgspec import Struct

from consent.links.models import Door, LinkFile, LinkRow, LiveLink, Opening, Ticket
from identity.queries import held
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_BY_A_MERGE = held("$1", "l.created_at", "l.confirmed_at")
_BY_A_RESTORE = epoch_holds("l.created_at", "l.confirmed_at")
_HELD = f"({_BY_A_MERGE} OR {_BY_A_RESTORE})"
# A link in force, of a living person: $1 person, $2 link, $3 now.
_LIVE = f"""
    l.patient_id = $1 AND l.link_id = $2 AND l.ended_at IS NULL AND l.locked_at IS NULL AND l.expires_at > $3
    AND EXISTS (SELECT FROM citizen c WHERE c.patient_id = $1
        AND c.state IN ('active', 'death-reported'))
    AND NOT {_HELD}
"""


class Found(Struct, frozen=True):
    patient_id: UUID
    link_id: UUID


BY_ADDRESS = Statement(Found, "SELECT patient_id, link_id FROM share_link_address WHERE token_hash = $1")
LIVE_LINK = Statement(
    LiveLink,
    f"SELECT l.arming, l.origins, l.expires_at FROM share_link l WHERE {_LIVE} AND l.arming = $4",  # noqa: S608
)
DOOR = Statement(
    Door,
    f"""
    SELECT l.patient_id, l.link_id, l.arming, l.attempts, l.passcode_salt, l.key_sealed, l.head_seq,
        l.contents
    FROM share_link l WHERE {_LIVE}
    """,  # noqa: S608
)


class Judged(Struct, frozen=True):
    matched: bool
    attempts: int


# The one check of a passcode: charge, compare and lock in one statement, so that five wrong ones are five,
# however many come at once. $4 arming, $5 digest, $6 tries.
CHECK_PASSCODE = Statement(
    Judged,
    f"""
    UPDATE share_link AS l SET
        attempts = l.attempts + CASE WHEN l.passcode_hash = $5 THEN 0 ELSE 1 END,
        locked_at = CASE WHEN l.passcode_hash <> $5 AND l.attempts + 1 >= $6 THEN $3 END
    WHERE {_LIVE} AND l.arming = $4 AND l.attempts < $6
    RETURNING l.passcode_hash = $5 AS matched, l.attempts
    """,  # noqa: S608
)

INSERT_LINK = Command(
    """
    INSERT INTO share_link (patient_id, link_id, label_sealed, key_sealed, passcode_salt, passcode_hash,
        arming, attempts, is_refreshed, contents, origins, head_seq, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, 1, 0, $4::bytea IS NOT NULL, $7, $8, $9, $10, $11)
    """
)
INSERT_ADDRESS = Command(
    "INSERT INTO share_link_address (token_hash, patient_id, link_id, expires_at) VALUES ($1, $2, $3, $4)"
)
UPSERT_FILE = Command(
    """
    INSERT INTO share_link_file (patient_id, link_id, content, blob_id, shown, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (patient_id, link_id, content) DO UPDATE
    SET blob_id = EXCLUDED.blob_id, shown = EXCLUDED.shown, updated_at = EXCLUDED.updated_at
    """
)
FILES = Statement(
    LinkFile,
    """
    SELECT content, blob_id, shown, updated_at FROM share_link_file WHERE patient_id = $1 AND link_id = $2
    ORDER BY content <> 'ips', content
    """,
)
FILE = Statement(
    LinkFile,
    """
    SELECT content, blob_id, shown, updated_at FROM share_link_file
    WHERE patient_id = $1 AND link_id = $2 AND content = $3
    """,
)
# Only from the state that the files were made over: of two refreshes at once one counts.
SET_HEAD = Scalar(
    UUID,
    """
    UPDATE share_link SET head_seq = $4 WHERE patient_id = $1 AND link_id = $2 AND head_seq = $3
    RETURNING link_id
    """,
)
LIVE_LINKS = Scalar(
    int,
    """
    SELECT count(*) FROM share_link WHERE patient_id = $1 AND ended_at IS NULL AND expires_at > $2
    """,
)

INSERT_OPENING = Command(
    """
    INSERT INTO share_link_opening (patient_id, link_id, opening_id, recipient_sealed, opened_at)
    VALUES ($1, $2, $3, $4, $5)
    """
)
INSERT_TICKET = Command(
    """
    INSERT INTO share_link_ticket (token_hash, patient_id, link_id, arming, opening_id, content, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    """
)
TAKE_TICKET = Statement(
    Ticket,
    """
    DELETE FROM share_link_ticket WHERE token_hash = $1
    RETURNING patient_id, link_id, arming, opening_id, content, expires_at
    """,
)
OPENING = Statement(
    Opening,
    """
    SELECT opening_id, recipient_sealed, opened_at FROM share_link_opening
    WHERE patient_id = $1 AND link_id = $2 AND opening_id = $3
    """,
)
OPENINGS = Statement(
    Opening,
    """
    SELECT opening_id, recipient_sealed, opened_at FROM share_link_opening
    WHERE patient_id = $1 AND link_id = $2 ORDER BY opening_id DESC LIMIT $3
    """,
)

_ROW = f"""
    SELECT l.patient_id, l.link_id, l.label_sealed, l.is_refreshed,
        l.contents, l.attempts, l.created_at, l.expires_at, l.locked_at, l.ended_at, {_HELD} AS held,
        (SELECT count(*)::int FROM share_link_opening o WHERE o.patient_id = $1
            AND o.link_id = l.link_id) AS openings
    FROM share_link l
"""  # noqa: S608
LINKS = Statement(LinkRow, _ROW + " WHERE l.patient_id = $1 ORDER BY l.link_id DESC LIMIT $2")
LINK = Statement(LinkRow, _ROW + " WHERE l.patient_id = $1 AND l.link_id = $2")
UNENDED = Statement(
    LinkRow, _ROW + " WHERE l.patient_id = $1 AND l.ended_at IS NULL AND l.expires_at > $2 ORDER BY l.link_id"
)
END = Scalar(
    UUID,
    """
    UPDATE share_link SET ended_at = $3, key_sealed = NULL WHERE patient_id = $1 AND link_id = $2
        AND ended_at IS NULL
    RETURNING link_id
    """,
)
# A new passcode, five tries anew; what was there before opens nothing.
ARM = Scalar(
    UUID,
    """
    UPDATE share_link SET passcode_salt = $4, passcode_hash = $5, arming = arming + 1, attempts = 0,
        locked_at = NULL, confirmed_at = $3
    WHERE patient_id = $1 AND link_id = $2 AND ended_at IS NULL AND expires_at > $3
    RETURNING link_id
    """,
)
LOCK_AGAIN = Command(
    "UPDATE share_link SET locked_at = $3 WHERE patient_id = $1 AND link_id = $2 AND ended_at IS NULL"
    " AND locked_at IS NULL"
)
CONFIRM = Scalar(
    UUID,
    """
    UPDATE share_link SET confirmed_at = $3
    WHERE patient_id = $1 AND link_id = $2 AND ended_at IS NULL AND expires_at > $3
    RETURNING link_id
    """,
)

SWEPT = "a worker takes away what has ended, wherever it lies"


class DeadFile(Struct, frozen=True):
    patient_id: UUID
    link_id: UUID
    content: str
    blob_id: UUID


DEAD_FILES = Statement(
    DeadFile,
    """
    SELECT f.patient_id, f.link_id, f.content, f.blob_id FROM share_link_file f
    JOIN share_link l ON l.patient_id = f.patient_id AND l.link_id = f.link_id
    WHERE l.ended_at IS NOT NULL OR l.expires_at <= $1 LIMIT $2
    """,
    fan_out=SWEPT,
)
DELETE_FILE = Command(
    "DELETE FROM share_link_file WHERE patient_id = $1 AND link_id = $2 AND content = $3 AND blob_id = $4"
)

# How many links in force have a passcode under a pepper: nothing follows the salt under the first one.
UNDER_PEPPER = Scalar(
    int,
    "SELECT count(*) FROM share_link WHERE substring(passcode_salt FROM 17) = $1"
    " AND ended_at IS NULL AND expires_at > $2",
    fan_out="before an operator takes a pepper away, once",
)
