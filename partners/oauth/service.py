"""What of a client's proofs needs the database: each counts once, also between processes."""

from datetime import datetime

from partners.oauth import queries
from store.database import Tx


async def use_once(tx: Tx, proof_hash: bytes, expires_at: datetime) -> bool:
    """Use a proof up. False: it was used before, here or in another process."""
    return await queries.USE_PROOF.one(tx, proof_hash, expires_at) is not None


async def forget_proofs(tx: Tx, before: datetime, limit: int) -> int:
    """Remove used proofs whose own time is over. Returns how many went."""
    return await queries.DELETE_PROOFS.one(tx, before, limit) or 0
