"""Security epochs: what a restored backup must not bring back to life (security.md S12).

Every restore starts one. A session, a code or an address made before its start is dead; a grant, a link or a
proxy that lived at the recovery point is held until its citizen confirms it. Both are one condition of the
statement that looks the thing up, so that nothing has to be swept before it counts.
"""

from datetime import datetime

from store import queries
from store.database import Tx
from store.models import Epoch


def epoch_holds(made: str, proven: str | None = None) -> str:
    """The condition for a thing that an older epoch made and nobody proved since.

    made, proven: SQL expressions of instants, `g.created_at` and `g.confirmed_at`; proven may be NULL there.
    """
    newest = made if proven is None else f"greatest({made}, {proven})"
    return f"EXISTS (SELECT FROM security_epoch WHERE security_epoch.started_at > {newest})"


async def current(tx: Tx) -> Epoch:
    """The epoch that this database lives in."""
    return await queries.NEWEST_EPOCH.one(tx) or Epoch(0, None)


async def start_epoch(tx: Tx, now: datetime, *, after: int = 0) -> Epoch:
    """Begin the next epoch, as hb_owner after a restore. Raises on a second one at once (primary key).

    after: the highest number that was used before, where a lost database knew more of them.
    """
    number = max((await current(tx)).number, after) + 1
    await queries.INSERT_EPOCH.run(tx, number, now)
    return Epoch(number, now)
