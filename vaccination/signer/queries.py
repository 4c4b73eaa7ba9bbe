"""All SQL of signers, issuances and the signer's log."""

from uuid import UUID

from audit.models import AdminRow, Head
from store.statement import Command, Scalar, Statement
from vaccination.signer.models import DocumentSigner, IssuanceRow, Signed, SigningRow

_SIGNER_COLUMNS = (
    "key_id, purpose, alg, kid, certificate, authority, not_before, not_after, sign_until, daily_budget,"
    " added_at, retired_at, revoked_at"
)

SIGNERS = Statement(
    DocumentSigner,
    f"SELECT {_SIGNER_COLUMNS} FROM document_signer ORDER BY purpose, added_at, key_id",  # noqa: S608
)
SIGNER = Statement(
    DocumentSigner,
    f"SELECT {_SIGNER_COLUMNS} FROM document_signer WHERE key_id = $1",  # noqa: S608
)
INSERT_SIGNER = Command(
    f"INSERT INTO document_signer ({_SIGNER_COLUMNS})"  # noqa: S608
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, NULL)"
)
RETIRE_SIGNER = Scalar(
    str,
    "UPDATE document_signer SET retired_at = $2 WHERE key_id = $1 AND retired_at IS NULL RETURNING key_id",
)
REVOKE_SIGNER = Scalar(
    str,
    "UPDATE document_signer SET revoked_at = $2, retired_at = coalesce(retired_at, $2)"
    " WHERE key_id = $1 AND revoked_at IS NULL RETURNING key_id",
)
SET_BUDGET = Scalar(str, "UPDATE document_signer SET daily_budget = $2 WHERE key_id = $1 RETURNING key_id")

INSERT_ISSUANCE = Command(
    "INSERT INTO certificate_issuance (patient_id, issuance_id, purpose, key_id, to_sign_sha256, made_at)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
ISSUANCE = Statement(
    IssuanceRow,
    "SELECT purpose, key_id, to_sign_sha256, signed_at, closed_at FROM certificate_issuance"
    " WHERE patient_id = $1 AND issuance_id = $2",
)
# Once: of two who ask at the same time one finds the row marked.
MARK_SIGNED = Scalar(
    UUID,
    "UPDATE certificate_issuance SET signed_at = $3"
    " WHERE patient_id = $1 AND issuance_id = $2 AND signed_at IS NULL AND closed_at IS NULL"
    " RETURNING issuance_id",
)
CLOSE = Command(
    "UPDATE certificate_issuance SET closed_at = $3"
    " WHERE patient_id = $1 AND issuance_id = ANY ($2::uuid[]) AND signed_at IS NULL"
)

# $3: the key's budget; a full day changes nothing and returns nothing.
CHARGE = Scalar(
    int,
    """
    INSERT INTO signing_day AS d (key_id, day, signatures) VALUES ($1, $2, 1)
    ON CONFLICT (key_id, day) DO UPDATE SET signatures = d.signatures + 1 WHERE d.signatures < $3
    RETURNING signatures
    """,
)

# Head and row in one statement, as the operators' log (audit/queries.py).
APPEND = Scalar(
    int,
    """
    WITH head AS (
        INSERT INTO signing_head AS a (chain, seq, prev, h)
        VALUES ('signing', 1, decode(repeat('00', 32), 'hex'),
                sha256('\\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(1) || $1))
        ON CONFLICT (chain) DO UPDATE SET
            seq = a.seq + 1,
            prev = a.h,
            h = sha256('\\x01'::bytea || a.h || int8send(a.seq + 1) || $1)
        RETURNING seq, prev, h
    )
    INSERT INTO signing_event (seq, at, issuance_id, entry, prev, h)
    SELECT head.seq, $2::timestamptz, $3::uuid, $4::text, head.prev, head.h FROM head
    ON CONFLICT (issuance_id) DO NOTHING
    RETURNING seq
    """,
)
SIGNING_HEAD = Statement(Head, "SELECT seq, h FROM signing_head WHERE chain = 'signing'")
# The operators' log from its end, as far as needed: the newest heads of the signing log stand there.
SEALED = Statement(
    AdminRow,
    """
    SELECT seq, at, entry, prev, h FROM admin_event WHERE entry LIKE '%"' || $1 || '"%'
    ORDER BY seq DESC LIMIT $2
    """,
)
# Without a gap, from the first to the last of that time.
LOGGED_BETWEEN = Statement(
    SigningRow,
    """
    WITH edge AS (SELECT min(seq) AS first, max(seq) AS last FROM signing_event WHERE at >= $1 AND at < $2)
    SELECT s.seq, s.at, s.issuance_id, s.entry, s.prev, s.h FROM edge
    JOIN signing_event s ON s.seq BETWEEN edge.first AND edge.last ORDER BY s.seq
    """,
)
SIGNED_BETWEEN = Statement(
    Signed,
    "SELECT issuance_id, key_id, to_sign_sha256, signed_at FROM certificate_issuance"
    " WHERE signed_at >= $1 AND signed_at < $2",
    fan_out="a day's rows of everybody against the signer's log, a night's job",
)
