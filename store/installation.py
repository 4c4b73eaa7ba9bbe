"""What kind of database this is. Demo is a property of the database, set once (security.md S4)."""

from datetime import datetime
from typing import Final

from store import queries
from store.database import Tx
from store.models import Closing

_FIRST_TIMELINE: Final = "/00000001"


async def mark_installation(tx: Tx, demo: bool, now: datetime) -> bool:
    """Write the mark into a database that has none. Returns False when it was marked before."""
    return await queries.INSERT_INSTALLATION.one(tx, demo, now, await queries.SERVER.one(tx)) is not None


async def is_elsewhere(tx: Tx) -> bool:
    """Whether this database was last let serve on another server or timeline. PostgreSQL begins a timeline
    whenever a copy was replayed to its end or a standby was promoted, and never otherwise: what a restore
    brings back names the one before. Raises asyncpg.ObjectNotInPrerequisiteStateError on a standby."""
    here, known = await queries.SERVER.one(tx), await queries.INSTALLATION_SERVER.one(tx)
    if known is None:
        # Of a release that did not keep it; on the first timeline no copy was replayed.
        return here is None or not here.endswith(_FIRST_TIMELINE)
    return here != known


async def settle(tx: Tx) -> None:
    """As hb_owner: from now on it serves on this server, on the timeline of now."""
    await queries.SET_INSTALLATION_SERVER.run(tx, await queries.SERVER.one(tx))


async def settle_first(tx: Tx) -> None:
    """A database of an older release says from now on where it serves."""
    if await queries.INSTALLATION_SERVER.one(tx) is None and not await is_elsewhere(tx):
        await settle(tx)


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
    """digest: by which the hand-over and its receipt are known again (healthbook/handover/layout.py)."""
    await queries.NOTE_HANDED_OVER.run(tx, digest)


async def is_demo(tx: Tx) -> bool | None:
    """True or False as marked; None while nobody has marked this database."""
    return await queries.INSTALLATION_DEMO.one(tx)
