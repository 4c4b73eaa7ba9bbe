"""Writing amounts: beside the visit, in its transaction, under the lock of the record's head."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from ehr.costs import queries
from ehr.models import NewResource, Source
from store.database import Tx


async def keep_costs(
    tx: Tx, patient_id: UUID, source: Source, rows: Iterable[NewResource], now: datetime
) -> bool:
    """Keep what came with visits, in place of what came before. Whether anything changed."""
    changed = False
    for row in rows:
        if row.costs is None:
            continue
        costs = row.costs
        number = await queries.KEEP.one(
            tx,
            patient_id,
            row.id,
            costs.total,
            costs.in_scope,
            costs.fund,
            costs.copaid,
            costs.self_paid,
            costs.other,
            costs.check,
            list(costs.benefits),
            source.credential,
            source.batch,
            now,
            costs.is_empty,
        )
        changed = changed or number is not None
    return changed


async def take_back(
    tx: Tx, patient_id: UUID, credentials: Iterable[str], since: datetime, now: datetime
) -> bool:
    """What credentials sent since an instant stands no more; what was sent before does again (S3)."""
    return bool(await queries.TAKE_BACK.all(tx, patient_id, list(credentials), since, now))
