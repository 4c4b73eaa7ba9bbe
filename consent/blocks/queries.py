"""All SQL of blocks."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from store.database import Tx
from store.statement import Command, Scalar, Statement

BlockKind = Literal["practitioner", "facility"]


class Block(Struct, frozen=True):
    """A row of consent_block. name: as the person saw it when blocking."""

    patient_id: UUID
    block_id: UUID
    kind: BlockKind
    target_id: UUID
    name: str
    blocked_at: datetime
    lifted_at: datetime | None


COLUMNS = "patient_id, block_id, kind, target_id, name, blocked_at, lifted_at"

INSERT_BLOCK = Scalar(
    UUID,
    """
    INSERT INTO consent_block (patient_id, block_id, kind, target_id, name, blocked_at, taken_from)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (patient_id, target_id) WHERE lifted_at IS NULL DO NOTHING
    RETURNING block_id
    """,
)


async def insert_block(
    tx: Tx,
    patient_id: UUID,
    block_id: UUID,
    kind: BlockKind,
    target_id: UUID,
    name: str,
    now: datetime,
    taken_from: UUID | None = None,
) -> bool:
    """False when the same target is blocked already. taken_from: the merged person who blocked it."""
    made = await INSERT_BLOCK.one(tx, patient_id, block_id, kind, target_id, name, now, taken_from)
    return made is not None


GIVE_BACK = Command("DELETE FROM consent_block WHERE patient_id = $1 AND taken_from = $2")


async def give_back(tx: Tx, survivor_id: UUID, merged_id: UUID) -> None:
    """What came with a merge goes with it, lifted or not; whoever blocked it has the row of before."""
    await GIVE_BACK.run(tx, survivor_id, merged_id)


LIFT_BLOCK = Scalar(
    UUID,
    """
    UPDATE consent_block SET lifted_at = $3
    WHERE patient_id = $1 AND block_id = $2 AND lifted_at IS NULL
    RETURNING block_id
    """,
)


async def lift_block(tx: Tx, patient_id: UUID, block_id: UUID, now: datetime) -> bool:
    return await LIFT_BLOCK.one(tx, patient_id, block_id, now) is not None


BLOCK_BY_ID = Statement(
    Block,
    f"SELECT {COLUMNS} FROM consent_block WHERE patient_id = $1 AND block_id = $2",  # noqa: S608
)


async def block_by_id(tx: Tx, patient_id: UUID, block_id: UUID) -> Block | None:
    return await BLOCK_BY_ID.one(tx, patient_id, block_id)


BLOCKS_OF_PERSON = Statement(
    Block,
    f"""
    SELECT {COLUMNS} FROM consent_block WHERE patient_id = $1 AND block_id < $2
    ORDER BY block_id DESC LIMIT $3
    """,  # noqa: S608
)


async def blocks_of_person(tx: Tx, patient_id: UUID, before: UUID, limit: int) -> list[Block]:
    """Newest first, lifted ones too."""
    return await BLOCKS_OF_PERSON.all(tx, patient_id, before, limit)


IS_BLOCKED = Scalar(
    bool,
    """
    SELECT EXISTS (SELECT FROM consent_block
                   WHERE patient_id = $1 AND target_id IN ($2, $3) AND lifted_at IS NULL) AS blocked
    """,
)


async def is_blocked(tx: Tx, patient_id: UUID, practitioner_id: UUID, facility_id: UUID) -> bool:
    return bool(await IS_BLOCKED.one(tx, patient_id, practitioner_id, facility_id))


BLOCKED_AMONG = Scalar(
    UUID,
    """
    SELECT target_id FROM consent_block
    WHERE patient_id = $1 AND target_id = ANY($2::uuid[]) AND lifted_at IS NULL
    """,
)


async def blocked_among(tx: Tx, patient_id: UUID, targets: list[UUID]) -> list[UUID]:
    return await BLOCKED_AMONG.all(tx, patient_id, targets)


LIVE_BLOCKS = Statement(
    Block,
    f"SELECT {COLUMNS} FROM consent_block WHERE patient_id = $1 AND lifted_at IS NULL",  # noqa: S608
)


async def live_blocks(tx: Tx, patient_id: UUID) -> list[Block]:
    return await LIVE_BLOCKS.all(tx, patient_id)
