"""SQL of versions of apps: what holds for each platform, and how often each version called."""

from uuid import UUID

from identity.app_versions.models import AppPolicyRow, UseKey, UseRow
from store.statement import Command, Scalar, Statement

_COLUMNS = (
    "platform, policy_id, minimum, recommended, store_url, message_vi, message_en, features, changed_at"
)

# Returns nothing where so many other platforms are entered already, and where what holds was put there after
# this was proposed: the older of two proposals does not bring back what the newer one replaced.
PUT_POLICY = Scalar(
    UUID,
    f"INSERT INTO app_policy ({_COLUMNS}) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9"  # noqa: S608
    " WHERE (SELECT count(*) FROM app_policy WHERE platform <> $1) < $10"
    " ON CONFLICT (platform) DO UPDATE SET policy_id = excluded.policy_id, minimum = excluded.minimum,"
    " recommended = excluded.recommended, store_url = excluded.store_url,"
    " message_vi = excluded.message_vi, message_en = excluded.message_en,"
    " features = excluded.features, changed_at = excluded.changed_at"
    " WHERE app_policy.changed_at <= $11 RETURNING policy_id",
)
POLICIES = Statement(AppPolicyRow, f"SELECT {_COLUMNS} FROM app_policy ORDER BY platform")  # noqa: S608

USES_OF_DAY = Statement(
    UseKey, "SELECT platform, version, operation FROM app_use WHERE used_on = $1 LIMIT $2"
)
ADD_USE = Command(
    """
    INSERT INTO app_use AS u (used_on, platform, version, operation, calls) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (used_on, platform, version, operation) DO UPDATE SET calls = u.calls + excluded.calls
    """
)
USES = Statement(
    UseRow,
    """
    SELECT platform, version, operation, max(used_on) AS last_used_on, sum(calls)::bigint AS calls
    FROM app_use WHERE used_on >= $1 GROUP BY platform, version, operation
    ORDER BY operation DESC, calls DESC, platform, version LIMIT $2
    """,
)
FORGET_USES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT used_on, platform, version, operation FROM app_use"
    " WHERE used_on < $1 LIMIT $2),"
    " gone AS (DELETE FROM app_use u USING old WHERE u.used_on = old.used_on AND u.platform = old.platform"
    " AND u.version = old.version AND u.operation = old.operation RETURNING 1) SELECT count(*) FROM gone",
)
