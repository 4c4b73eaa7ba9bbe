"""What kind of database this is. Demo is a property of the database, set once (security.md S4)."""

from datetime import datetime

from store import queries
from store.database import Tx


async def mark_installation(tx: Tx, demo: bool, now: datetime) -> bool:
    """Write the mark into a database that has none. Returns False when it was marked before."""
    return await queries.INSERT_INSTALLATION.one(tx, demo, now) is not None


async def is_demo(tx: Tx) -> bool | None:
    """True or False as marked; None while nobody has marked this database."""
    return await queries.INSTALLATION_DEMO.one(tx)
