"""What kind of database this is. Demo is a property of the database, set once (security.md S4)."""

from datetime import datetime

from store import queries
from store.database import Tx
from store.models import Closing


async def mark_installation(tx: Tx, demo: bool, now: datetime) -> bool:
    """Write the mark into a database that has none. Returns False when it was marked before."""
    return await queries.INSERT_INSTALLATION.one(tx, demo, now) is not None


async def closing(tx: Tx) -> Closing | None:
    """How far the end of this installation is; None while nobody has marked this database."""
    return await queries.CLOSING.one(tx)


async def close(tx: Tx, now: datetime) -> None:
    """Nothing serves it from now on. Closing it again changes nothing."""
    await queries.CLOSE_INSTALLATION.run(tx, now)


async def open_again(tx: Tx) -> None:
    """It goes on after all; a hand-over that was made of it is none any more."""
    await queries.OPEN_INSTALLATION.run(tx)


async def note_handed_over(tx: Tx, digest: bytes) -> None:
    """digest: SHA-256 of the signed hand-over."""
    await queries.NOTE_HANDED_OVER.run(tx, digest)


async def is_demo(tx: Tx) -> bool | None:
    """True or False as marked; None while nobody has marked this database."""
    return await queries.INSTALLATION_DEMO.one(tx)
