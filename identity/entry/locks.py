"""The lock of an account: acts of one practitioner that count each other stand in line."""

from uuid import UUID

from identity.entry import queries
from store.database import Tx


async def lock_account(tx: Tx, actor_id: UUID) -> None:
    """Hold the account's row until the transaction ends. Taken before any row of a person."""
    await queries.LOCK_ACCOUNT.one(tx, actor_id)
