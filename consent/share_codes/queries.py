"""All SQL of share codes."""

from uuid import UUID

from msgspec import Struct

from consent.share_codes.models import Redeemed, ShareCodeRow
from identity.queries import held
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_BY_A_MERGE = held("s.patient_id", "s.created_at", "s.created_at")
# A code in force of a living person; one of before a merge or a restore is dead, not held. $1 person,
# $2 code, $3 now.
_LIVE = f"""
    s.patient_id = $1 AND s.code_id = $2 AND s.redeemed_at IS NULL AND s.ended_at IS NULL
    AND s.expires_at > $3 AND EXISTS (SELECT FROM citizen c WHERE c.patient_id = s.patient_id
        AND c.state IN ('active', 'death-reported'))
    AND NOT {_BY_A_MERGE} AND NOT {epoch_holds("s.created_at")}
"""
_COLUMNS = """s.patient_id, s.code_id, s.tier, s.types, s.since, s.until, s.duration_seconds, s.labels,
    s.created_at, s.expires_at, s.redeemed_at, s.ended_at"""


class Found(Struct, frozen=True):
    patient_id: UUID
    code_id: UUID


BY_HASH = Statement(Found, "SELECT patient_id, code_id FROM share_code_by_hash WHERE code_hash = $1")
CLAIM_HASH = Scalar(
    UUID,
    """
    INSERT INTO share_code_by_hash (code_hash, patient_id, code_id, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (code_hash) DO NOTHING RETURNING code_id
    """,
)
INSERT_CODE = Command(
    """
    INSERT INTO share_code (patient_id, code_id, tier, types, since, until, duration_seconds, labels, choice,
        signature, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    """
)
CODE = Statement(
    ShareCodeRow,
    f"SELECT {_COLUMNS} FROM share_code s WHERE s.patient_id = $1 AND s.code_id = $2",  # noqa: S608
)
LIVE_CODE = Statement(ShareCodeRow, f"SELECT {_COLUMNS} FROM share_code s WHERE {_LIVE}")  # noqa: S608
LIVE_CODES = Statement(
    ShareCodeRow,
    f"""
    SELECT {_COLUMNS} FROM share_code s
    WHERE s.patient_id = $1 AND s.redeemed_at IS NULL AND s.ended_at IS NULL AND s.expires_at > $2
    ORDER BY s.code_id
    """,  # noqa: S608
)
# The one redemption: of many at once one gets the row.
REDEEM = Statement(
    Redeemed,
    f"""
    UPDATE share_code AS s SET redeemed_at = $3, grant_id = $4 WHERE {_LIVE}
    RETURNING s.choice, s.signature
    """,  # noqa: S608
)
END = Scalar(
    UUID,
    """
    UPDATE share_code SET ended_at = $3
    WHERE patient_id = $1 AND code_id = $2 AND redeemed_at IS NULL AND ended_at IS NULL
    RETURNING code_id
    """,
)
