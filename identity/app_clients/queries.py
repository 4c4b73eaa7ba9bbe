"""SQL of OAuth clients and of their tokens."""

from uuid import UUID

from identity.app_clients.models import AppClient, LiveApp, RefreshRow
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_COLUMNS = """client_id, kind, name, holder, auth, jwks, jwks_uri, redirect_uris, scopes_max, groups_max,
    quota_per_day, quota_per_minute, webhook_uri, created_at, changed_at, ended_at"""

INSERT_CLIENT = Command(
    f"INSERT INTO app_client ({_COLUMNS})"  # noqa: S608
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL)"
)
CHANGE_CLIENT = Scalar(
    UUID,
    "UPDATE app_client SET jwks = $2, jwks_uri = $3, redirect_uris = $4, scopes_max = $5, groups_max = $6,"
    " quota_per_day = $7, quota_per_minute = $8, webhook_uri = $9, changed_at = $10"
    " WHERE client_id = $1 AND ended_at IS NULL RETURNING client_id",
)
END_CLIENT = Scalar(
    UUID,
    "UPDATE app_client SET ended_at = $2 WHERE client_id = $1 AND ended_at IS NULL RETURNING client_id",
)
CLIENT = Statement(AppClient, f"SELECT {_COLUMNS} FROM app_client WHERE client_id = $1")  # noqa: S608
CLIENTS = Statement(
    AppClient,
    f"SELECT {_COLUMNS} FROM app_client WHERE client_id > $1 ORDER BY client_id LIMIT $2",  # noqa: S608
)

INSERT_SESSION = Command(
    "INSERT INTO app_session (client_id, session_id, access_hash, access_until, jkt, reference, scope,"
    " refresh_hash, rotations, started_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)"
)
LIVE = Statement(
    LiveApp,
    "SELECT s.client_id, s.session_id, c.kind, c.name, s.jkt, s.reference, s.scope, c.scopes_max,"  # noqa: S608
    " c.quota_per_day, c.quota_per_minute"
    " FROM app_session s JOIN app_client c ON c.client_id = s.client_id"
    " WHERE s.client_id = $1 AND s.access_hash = $2 AND s.ended_at IS NULL AND c.ended_at IS NULL"
    " AND s.access_until > $3 AND s.expires_at > $3"
    f" AND NOT {epoch_holds('s.started_at')}",
)
FAMILY = Statement(
    RefreshRow,
    "SELECT client_id, session_id, jkt, reference, scope, refresh_hash, expires_at, ended_at"  # noqa: S608
    " FROM app_session WHERE client_id = $1 AND session_id = $2"
    f" AND NOT {epoch_holds('app_session.started_at')}",
)
# Of two at once one rotates; the other finds another hash.
ROTATE = Scalar(
    UUID,
    "UPDATE app_session SET access_hash = $4, access_until = $5, refresh_hash = $6, scope = $7,"
    " rotations = rotations + 1"
    " WHERE client_id = $1 AND session_id = $2 AND refresh_hash = $3 AND ended_at IS NULL"
    " RETURNING session_id",
)
END_SESSION = Scalar(
    UUID,
    "UPDATE app_session SET ended_at = $3, end_reason = $4"
    " WHERE client_id = $1 AND session_id = $2 AND ended_at IS NULL RETURNING session_id",
)
END_BY_ACCESS = Scalar(
    UUID,
    "UPDATE app_session SET ended_at = $3, end_reason = $4"
    " WHERE client_id = $1 AND access_hash = $2 AND ended_at IS NULL RETURNING session_id",
)
END_OF_CONSENT = Command(
    "UPDATE app_session SET ended_at = $3, end_reason = $4"
    " WHERE client_id = $1 AND reference = $2 AND ended_at IS NULL"
)
END_OF_CLIENT = Command(
    "UPDATE app_session SET ended_at = $2, end_reason = $3 WHERE client_id = $1 AND ended_at IS NULL"
)
