"""All SQL of a hotline's tickets."""

from typing import Final

from store.statement import Command, Scalar, Statement
from visits.hotline.models import TicketRow

_COLUMNS: Final = ", ".join(TicketRow.__struct_fields__)
_SELECT: Final = f"SELECT {_COLUMNS} FROM hotline_ticket"  # noqa: S608 - a constant of ours

INSERT = Command(
    f"INSERT INTO hotline_ticket ({_COLUMNS})"  # noqa: S608 - a constant of ours
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
)
BY_ID = Statement(TicketRow, _SELECT + " WHERE facility_id = $1 AND ticket_id = $2 FOR UPDATE")
LISTED = Statement(
    TicketRow,
    _SELECT
    + " WHERE facility_id = $1 AND (NOT $2 OR state <> 'closed') AND ticket_id < $3"
    + " ORDER BY ticket_id DESC LIMIT $4",
)
ASSIGN = Command(
    "UPDATE hotline_ticket SET state = 'assigned', assigned_to = $3, assigned_at = $4"
    " WHERE facility_id = $1 AND ticket_id = $2"
)
CLOSE = Command(
    "UPDATE hotline_ticket SET state = 'closed', outcome = $3, closed_by = $4, closed_at = $5"
    " WHERE facility_id = $1 AND ticket_id = $2"
)
DELETE_CLOSED = Scalar(
    int,
    "WITH old AS MATERIALIZED"
    " (SELECT facility_id, ticket_id FROM hotline_ticket WHERE closed_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM hotline_ticket WHERE (facility_id, ticket_id) IN"
    " (SELECT facility_id, ticket_id FROM old) RETURNING 1)"
    " SELECT count(*)::int FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
