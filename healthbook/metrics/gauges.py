"""How an installation stands, as a worker sees it every 15 seconds: queues, roots, certificates, connections.

Every worker shows the same; rules take the newest or the highest (docker/metrics/rules).
"""

import math
from datetime import datetime
from typing import Final, get_args

import msgspec
from prometheus_client import Gauge

from audit.roots.service import newest
from healthbook.backups.vault import Vault, opened_archive
from healthbook.metrics import queries
from healthbook.settings import Settings
from kernel.clock import Clock
from notifications.metrics import gauge as show_deliveries
from notifications.status import read_waiting
from store.database import Store, Tx
from store.due_queue import due_until
from vaccination.signer.keys import standing_signers
from vaccination.signer.ports import SignerPurpose

# An event that fails this often is set aside: tried once an hour, with an alert, until somebody acts.
SET_ASIDE_ATTEMPTS: Final = 8
# Of several processes that show a figure, what was shown last.
NEWEST: Final = "mostrecent"


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"healthbook_{name}", text, labels, multiprocess_mode=NEWEST)


EVENTS_WAITING: Final = _gauge("events_waiting", "Events that could be handled now")
EVENT_OLDEST: Final = _gauge("event_oldest_seconds", "How long the oldest of them waits")
EVENTS_SET_ASIDE: Final = _gauge("events_set_aside", "Events that failed eight times or more")
TIMER_OLDEST: Final = _gauge("timer_oldest_seconds", "How late the latest timer of a kind is", "kind")
JOURNAL_LINES: Final = _gauge("journal_lines_waiting", "Acts that are not in the journal's files yet")
ROOT_AT: Final = _gauge("audit_root_timestamp_seconds", "When the newest root of the access log was signed")
SIGNS_UNTIL: Final = _gauge(
    "certificate_signs_until_timestamp_seconds", "Until when the best key of a purpose signs", "purpose"
)
SAFE_UNTIL: Final = _gauge(
    "backup_safe_until_timestamp_seconds", "Until when a server's commits lie in the backups", "node"
)
CONNECTIONS: Final = _gauge("database_connections", "Sessions of the database server")
CONNECTIONS_MAX: Final = _gauge("database_connections_max", "The most sessions it takes")
CLOCK_AHEAD: Final = _gauge("clock_ahead_seconds", "This machine's clock against the database's")

_late_kinds: set[str] = set()


async def show_backups(settings: Settings) -> None:
    """Up to when the repository holds everything; nothing where none is set."""
    if not settings.healthbook_backup:
        return
    async with opened_archive(settings) as archive:
        for node in await Vault(archive, [], []).nodes():
            until = node.safe_until.timestamp() if node.safe_until else 0
            # Processes that share figures cannot take one away; Prometheus's min() passes over NaN.
            SAFE_UNTIL.labels(node.node).set(until if node.left_at is None else math.nan)


async def show_state(store: Store, clock: Clock) -> None:
    """Look once at everything."""
    async with store.transaction() as tx:
        await _show_database(tx, clock)
        now = clock.now()
        show_deliveries(await read_waiting(tx, now), now)
        await _show_queues(tx, now)
        await _show_proofs(tx)


async def _show_database(tx: Tx, clock: Clock) -> None:
    there = await queries.CONNECTIONS.one(tx)
    assert there is not None
    CLOCK_AHEAD.set((clock.now() - there.at).total_seconds())
    CONNECTIONS.set(there.used)
    CONNECTIONS_MAX.set(there.most)


async def _show_queues(tx: Tx, now: datetime) -> None:
    outbox = await queries.OUTBOX.one(tx, now, SET_ASIDE_ATTEMPTS)
    assert outbox is not None
    EVENTS_WAITING.set(outbox.waiting)
    EVENT_OLDEST.set((now - outbox.oldest).total_seconds() if outbox.oldest else 0)
    EVENTS_SET_ASIDE.set(outbox.set_aside)
    JOURNAL_LINES.set(await queries.JOURNAL_LINES.one(tx) or 0)
    late = dict.fromkeys(_late_kinds, 0.0)
    for one in await due_until(tx, now):
        late[one.kind] = max(late.get(one.kind, 0.0), (now - one.due_at).total_seconds())
    _late_kinds.update(late)
    for kind, seconds in late.items():
        TIMER_OLDEST.labels(kind).set(seconds)


async def _show_proofs(tx: Tx) -> None:
    root = await newest(tx)
    if root is not None:
        ROOT_AT.set(msgspec.convert(root.at, datetime).timestamp())
    for purpose in get_args(SignerPurpose):
        signers = [one for one in await standing_signers(tx, purpose) if one.retired_at is None]
        if signers:
            SIGNS_UNTIL.labels(purpose).set(max(one.sign_until for one in signers).timestamp())
