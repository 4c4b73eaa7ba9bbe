"""What of a client's proofs needs the database: each counts once, also between processes."""

from datetime import datetime

from partners.oauth import queries
from store.database import Tx


async def use_once(tx: Tx, proof_hash: bytes, expires_at: datetime, *, is_alone: bool = False) -> bool:
    """Use a proof up. False: it was used before, here or in another process. is_alone: the statement commits
    by itself, and the call's own transaction follows."""
    use = queries.USE_PROOF_UNFLUSHED if is_alone else queries.USE_PROOF
    return await use.one(tx, proof_hash, expires_at) is not None


async def forget_proofs(tx: Tx, before: datetime, limit: int) -> int:
    """Remove used proofs whose own time is over. Returns how many went."""
    return await queries.DELETE_PROOFS.one(tx, before, limit) or 0
