"""SQL over the rows of one basis in a person's log."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from store.database import Tx
from store.statement import Statement


class UseRow(Struct, frozen=True):
    """One row of the log: the hashed text."""

    at: datetime
    entry: str


USES = Statement(
    UseRow,
    """
    SELECT at, entry FROM access_log
    WHERE patient_id = $1 AND at >= $2 AND at < $3 AND entry::json->'grant'->>'id' = $4::text
    ORDER BY seq LIMIT $5
    """,
)


async def uses(
    tx: Tx, patient_id: UUID, basis_id: UUID, since: datetime, until: datetime, limit: int
) -> list[UseRow]:
    return await USES.all(tx, patient_id, since, until, str(basis_id), limit)
