"""All SQL of the access log and of the operators' log."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from audit.models import AdminRow, Head, LogRow
from store.database import Tx
from store.statement import Command, CopyInto, Scalar, Statement

# Head and row move in one statement: the head's row lock is what orders concurrent readers of one
# person, and nothing can append a row without moving the head (consent.md §10).
APPEND = Command(
    """
    WITH head AS (
        INSERT INTO audit_head AS a (patient_id, seq, prev, h)
        VALUES ($1, 1, decode(repeat('00', 32), 'hex'),
                sha256('\\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(1) || $2))
        ON CONFLICT (patient_id) DO UPDATE SET
            seq = a.seq + 1,
            prev = a.h,
            h = sha256('\\x01'::bytea || a.h || int8send(a.seq + 1) || $2),
            rooted = false
        RETURNING seq, prev, h
    )
    INSERT INTO access_log (patient_id, seq, at, actor_kind, entry, prev, h, salt, actor_salt,
                            actor_name, actor_licence, facility_name)
    SELECT $1, head.seq, $3::timestamptz, $4::text, $5::text, head.prev, head.h, $6::bytea, $7::bytea,
           $8::text, $9::text, $10::text
    FROM head
    """
)

# The first rows of people who were made in the same transaction.
COPY_HEADS = CopyInto("audit_head", "patient_id", "seq", "prev", "h")
COPY_ROWS = CopyInto(
    *("access_log", "patient_id", "seq", "at", "actor_kind", "entry", "prev", "h", "salt", "actor_salt"),
    *("actor_name", "actor_licence", "facility_name"),
)

HEAD_OF = Statement(Head, "SELECT seq, h FROM audit_head WHERE patient_id = $1")

_ROW_COLUMNS = "seq, at, entry, prev, h, salt, actor_salt, actor_name, actor_licence, facility_name"

PAGE = Statement(
    LogRow,
    f"""
    SELECT {_ROW_COLUMNS} FROM access_log
    WHERE patient_id = $1 AND seq < $2
      AND ($3::text IS NULL OR actor_kind = $3)
      AND at >= $4 AND at < $5
      AND ($6::uuid IS NULL OR strpos(entry, '"facility_id":"' || $6 || '"') > 0)
      AND ($7::text IS NULL OR $7 = CASE
            WHEN entry::json ->> 'outcome' = 'refused' THEN 'refused'
            WHEN entry::json ->> 'action' LIKE '%:read' THEN 'read' ELSE 'act' END)
    ORDER BY seq DESC LIMIT $8
    """,  # noqa: S608 - a constant of this file
)

# Broken glass can be under a safety flag; a guardian who may hear of it was told (consent/emergency). Of
# the child's own acts the ways into the book alone.
FAMILY_PAGE = Statement(
    LogRow,
    f"""
    SELECT {_ROW_COLUMNS} FROM access_log
    WHERE patient_id = $1 AND seq < $2
      AND ($3::text IS NULL OR actor_kind = $3)
      AND at >= $4 AND at < $5
      AND ($6::uuid IS NULL OR strpos(entry, '"facility_id":"' || $6 || '"') > 0)
      AND ($7::text IS NULL OR $7 = CASE
            WHEN entry::json ->> 'outcome' = 'refused' THEN 'refused'
            WHEN entry::json ->> 'action' LIKE '%:read' THEN 'read' ELSE 'act' END)
      AND EXISTS (SELECT FROM unnest($9::text[]) s (tag)
            WHERE starts_with(entry::json ->> 'action', s.tag))
      AND NOT EXISTS (SELECT FROM unnest($10::text[]) s (tag)
            WHERE starts_with(entry::json ->> 'action', s.tag))
      AND entry::json ->> 'purpose' IS DISTINCT FROM 'BTG'
      AND (starts_with(entry::json ->> 'action', 'identity:')
            OR NOT (actor_kind = 'citizen' AND entry::json #>> '{{actor,id}}' = $1::text))
    ORDER BY seq DESC LIMIT $8
    """,  # noqa: S608 - a constant of this file
)

EXPORT = Statement(
    LogRow,
    f"SELECT {_ROW_COLUMNS} FROM access_log WHERE patient_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",  # noqa: S608
)

# Looked for in the newest rows alone: a batch writes its rows one after the other.
ACTED = Scalar(
    bool,
    """
    SELECT EXISTS (
        SELECT FROM (SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq DESC LIMIT 50) newest
        WHERE strpos(entry, '"request_id":"' || $2::text || '"') > 0)
    """,
)

APPEND_ADMIN = Command(
    """
    WITH head AS (
        INSERT INTO admin_head AS a (chain, seq, prev, h)
        VALUES ('admin', 1, decode(repeat('00', 32), 'hex'),
                sha256('\\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(1) || $1))
        ON CONFLICT (chain) DO UPDATE SET
            seq = a.seq + 1,
            prev = a.h,
            h = sha256('\\x01'::bytea || a.h || int8send(a.seq + 1) || $1)
        RETURNING seq, prev, h
    )
    INSERT INTO admin_event (seq, at, entry, prev, h)
    SELECT head.seq, $2::timestamptz, $3::text, head.prev, head.h FROM head
    """
)

ADMIN_EXPORT = Statement(
    AdminRow, "SELECT seq, at, entry, prev, h FROM admin_event WHERE seq > $1 ORDER BY seq LIMIT $2"
)


ADMIN_HEAD = Statement(Head, "SELECT seq, h FROM admin_head WHERE chain = 'admin'")


async def append(
    tx: Tx,
    patient_id: UUID,
    *,
    row_digest: bytes,
    at: datetime,
    actor_kind: str,
    entry: str,
    salt: bytes,
    actor_salt: bytes,
    actor_name: str | None,
    actor_licence: str | None,
    facility_name: str | None,
) -> None:
    await APPEND.run(
        tx,
        patient_id,
        row_digest,
        at,
        actor_kind,
        entry,
        salt,
        actor_salt,
        actor_name,
        actor_licence,
        facility_name,
    )


async def family_page(
    tx: Tx,
    patient_id: UUID,
    *,
    before_seq: int,
    actor_kind: str | None,
    kind: str | None,
    facility_id: UUID | None,
    since: datetime,
    until: datetime,
    limit: int,
    shown: Sequence[str],
    hidden: Sequence[str],
) -> list[LogRow]:
    """shown, hidden: beginnings of tags that a guardian sees, and of those among them that stay out."""
    return await FAMILY_PAGE.all(
        tx,
        patient_id,
        before_seq,
        actor_kind,
        since,
        until,
        facility_id,
        kind,
        limit,
        list(shown),
        list(hidden),
    )


async def head_of(tx: Tx, patient_id: UUID) -> Head | None:
    return await HEAD_OF.one(tx, patient_id)


async def page(
    tx: Tx,
    patient_id: UUID,
    *,
    before_seq: int,
    actor_kind: str | None,
    since: datetime,
    until: datetime,
    limit: int,
    facility_id: UUID | None = None,
    kind: str | None = None,
) -> list[LogRow]:
    """kind: 'read', 'act' or 'refused'."""
    return await PAGE.all(tx, patient_id, before_seq, actor_kind, since, until, facility_id, kind, limit)


async def export(tx: Tx, patient_id: UUID, *, after_seq: int, limit: int) -> list[LogRow]:
    return await EXPORT.all(tx, patient_id, after_seq, limit)


async def append_admin(tx: Tx, *, row_digest: bytes, at: datetime, entry: str) -> None:
    await APPEND_ADMIN.run(tx, row_digest, at, entry)


async def admin_export(tx: Tx, *, after_seq: int, limit: int) -> list[AdminRow]:
    return await ADMIN_EXPORT.all(tx, after_seq, limit)


async def admin_head(tx: Tx) -> Head | None:
    return await ADMIN_HEAD.one(tx)
