"""SQL that removes ended rows: so many keys a statement, over all shards, `before` in $1, `limit` in $2."""

from store.statement import Scalar

HOURLY = "once an hour a worker removes what has ended, wherever it lies"

# The codes alone: the request itself stays, with who asked for what and the answer.
ERASE_CODES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT patient_id FROM access_request"
    " WHERE code_expires_at < $1 AND code_hash IS NOT NULL LIMIT $2),"
    " gone AS (UPDATE access_request SET code_hash = NULL, code_sealed = NULL"
    " WHERE code_expires_at < $1 AND code_hash IS NOT NULL"
    " AND patient_id IN (SELECT patient_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_PRACTITIONER_REQUESTS = Scalar(
    int,
    "WITH old AS MATERIALIZED ("
    "SELECT DISTINCT actor_id FROM practitioner_request WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM practitioner_request WHERE expires_at < $1"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_QUOTAS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT actor_id FROM request_quota WHERE day < $1 LIMIT $2),"
    " gone AS (DELETE FROM request_quota WHERE day < $1"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_SHARE_CODES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT patient_id FROM share_code WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM share_code WHERE expires_at < $1"
    " AND patient_id IN (SELECT patient_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_SHARE_CODE_HASHES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT code_hash FROM share_code_by_hash WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM share_code_by_hash WHERE code_hash IN (SELECT code_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_LINK_TICKETS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT token_hash FROM share_link_ticket WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM share_link_ticket WHERE token_hash IN (SELECT token_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_LINK_ADDRESSES = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT token_hash FROM share_link_address WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM share_link_address WHERE token_hash IN (SELECT token_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
# Name and number are a third person's, who never agreed; the row stays as a trail of its person.
EMPTY_INVITED_CONTACTS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT patient_id FROM emergency_contact"
    " WHERE state = 'invited' AND named_at < $1 LIMIT $2),"
    " gone AS (UPDATE emergency_contact SET state = 'ended', ended_at = expires_at, name_sealed = '',"
    " phone_sealed = '' WHERE state = 'invited' AND named_at < $1"
    " AND patient_id IN (SELECT patient_id FROM old) RETURNING code_hash),"
    " codes AS (DELETE FROM emergency_contact_code WHERE code_hash IN (SELECT code_hash FROM gone))"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_PROXY_INVITATIONS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT code_hash FROM proxy_invitation WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM proxy_invitation WHERE code_hash IN (SELECT code_hash FROM old) RETURNING 1)"
    " SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_GUARDIANSHIP_PROPOSALS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT proposal_id FROM guardianship_proposal WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM guardianship_proposal"
    " WHERE proposal_id IN (SELECT proposal_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
DELETE_PROXY_PROPOSALS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT proposal_id FROM proxy_proposal WHERE expires_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM proxy_proposal"
    " WHERE proposal_id IN (SELECT proposal_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
# One whose arrival is still owed stays: nobody judged it yet.
DELETE_EMERGENCY_MIRRORS = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT DISTINCT actor_id FROM practitioner_emergency"
    " WHERE opened_at < $1 AND arrival_by IS NULL LIMIT $2),"
    " gone AS (DELETE FROM practitioner_emergency WHERE opened_at < $1 AND arrival_by IS NULL"
    " AND actor_id IN (SELECT actor_id FROM old) RETURNING 1) SELECT count(*) FROM gone",
    fan_out=HOURLY,
)
