"""SQL of events for clients."""

from uuid import UUID

from ehr.reads.queries import filtered
from partners.webhooks.models import Settled, StoppedRow, WebhookRow
from store.statement import Command, Scalar, Statement

# One that waits stands for this one too, and notes it: it may be on its way already. The event that stands.
INSERT = Scalar(
    UUID,
    "INSERT INTO partner_webhook (client_id, event_id, kind, reference, happened_at, state, attempts)"
    " VALUES ($1, $2, $3, $4, $5, 'waiting', 0)"
    " ON CONFLICT (client_id, reference, kind) WHERE settled_at IS NULL DO UPDATE SET"
    " changed_at = EXCLUDED.happened_at RETURNING event_id",
)
# From here on a further change is news that what is sent now does not bring.
TAKE = Statement(
    WebhookRow,
    "UPDATE partner_webhook SET changed_at = NULL WHERE client_id = $1 AND event_id = $2"
    " AND state = 'waiting' RETURNING client_id, event_id, kind, reference, happened_at, attempts",
)
# Gives what changed since it was taken.
SETTLE = Statement(
    Settled,
    "UPDATE partner_webhook SET state = $3, attempts = $4, outcome = $5, settled_at = $6"
    " WHERE client_id = $1 AND event_id = $2 AND state = 'waiting' RETURNING changed_at",
)
NOTE_FAILURE = Command(
    "UPDATE partner_webhook SET attempts = $3, outcome = $4"
    " WHERE client_id = $1 AND event_id = $2 AND state = 'waiting'"
)
STOPPED = Statement(
    StoppedRow,
    "SELECT client_id, kind, attempts, outcome, settled_at FROM partner_webhook WHERE state = 'stopped'"
    " ORDER BY settled_at DESC, event_id DESC LIMIT $1",
    fan_out="an operator lists by hand what clients were not told of",
)
# Whether anything of a batch is there for this reader: an event must not tell of what is hidden.
SHOWS_BATCH = Scalar(
    int,
    filtered(
        """
        SELECT 1 AS there FROM ehr_resource r
        WHERE {visible} AND r.batch = $10 AND r.section IS NOT NULL LIMIT 1
        """
    ),
)
FORGET = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT client_id, event_id FROM partner_webhook WHERE settled_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM partner_webhook WHERE settled_at < $1"
    " AND (client_id, event_id) IN (SELECT client_id, event_id FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes events of long ago, of all clients",
)
