"""All SQL of requests about one's own data, of erasures and of breaches."""

from uuid import UUID

from consent.rights.models import Breach, Erasure, RightsRequest
from store.statement import Command, Scalar, Statement

_REQUEST = (
    "SELECT patient_id, request_id, kind, opened_at, answer_by, done_by, extended_at, answered_at, done_at,"
    " outcome FROM rights_request"
)
INSERT_REQUEST = Command(
    "INSERT INTO rights_request (patient_id, request_id, kind, opened_at, answer_by, done_by)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
)
REQUESTS_OF = Statement(RightsRequest, _REQUEST + " WHERE patient_id = $1 ORDER BY request_id DESC LIMIT $2")
REQUEST_BY_ID = Statement(RightsRequest, _REQUEST + " WHERE patient_id = $1 AND request_id = $2")
LOCK_REQUEST = Statement(RightsRequest, _REQUEST + " WHERE patient_id = $1 AND request_id = $2 FOR UPDATE")
RUNNING = Statement(
    RightsRequest,
    _REQUEST + " WHERE done_at IS NULL AND patient_id > $1 ORDER BY patient_id, request_id LIMIT $2",
    fan_out="an operator lists what runs: few rows of a partial index",
)
OVERDUE = Statement(
    RightsRequest,
    _REQUEST + " WHERE done_at IS NULL AND patient_id > $1"
    " AND (done_by < $3 OR (answered_at IS NULL AND answer_by < $3))"
    " ORDER BY patient_id, request_id LIMIT $2",
    fan_out="an operator lists what is late: few rows of a partial index",
)
ANSWER = Command(
    "UPDATE rights_request SET answered_at = $3 WHERE patient_id = $1 AND request_id = $2"
    " AND answered_at IS NULL"
)
EXTEND = Command(
    "UPDATE rights_request SET extended_at = $3, done_by = $4 WHERE patient_id = $1 AND request_id = $2"
)
FINISH = Command(
    "UPDATE rights_request SET done_at = $3, answered_at = coalesce(answered_at, $3), outcome = $4"
    " WHERE patient_id = $1 AND request_id = $2 AND done_at IS NULL"
)
FINISH_KIND = Command(
    "UPDATE rights_request SET done_at = $3, answered_at = coalesce(answered_at, $3), outcome = 'done'"
    " WHERE patient_id = $1 AND kind = $2 AND done_at IS NULL"
)

_ERASURE = "SELECT patient_id, request_id, state, asked_at, due_at, began_at, done_at FROM erasure"
LOCK_PERSON = Scalar(str, "SELECT state FROM citizen WHERE patient_id = $1 FOR UPDATE")
SET_STATE = Command("UPDATE citizen SET state = $2 WHERE patient_id = $1")
LOCK_ERASURE = Statement(Erasure, _ERASURE + " WHERE patient_id = $1 FOR UPDATE")
ERASURE_OF = Statement(Erasure, _ERASURE + " WHERE patient_id = $1")
UPSERT_ERASURE = Command(
    "INSERT INTO erasure (patient_id, request_id, state, asked_at, due_at) VALUES ($1, $2, 'waiting', $3, $4)"
    " ON CONFLICT (patient_id) DO UPDATE SET request_id = EXCLUDED.request_id, state = EXCLUDED.state,"
    " asked_at = EXCLUDED.asked_at, due_at = EXCLUDED.due_at, began_at = NULL, done_at = NULL"
)
CANCEL_ERASURE = Scalar(
    UUID,
    "UPDATE erasure SET state = 'cancelled' WHERE patient_id = $1 AND state = 'waiting' RETURNING request_id",
)
SET_ERASURE = Command(
    "UPDATE erasure SET state = $2, began_at = coalesce(began_at, $3),"
    " done_at = CASE WHEN $2 = 'erased' THEN $3 END WHERE patient_id = $1"
)
DROP_TARGETS = Command("DELETE FROM push_target WHERE patient_id = $1")

_BREACH = (
    "SELECT breach_id, noticed_at, notify_by, kinds, people, happened, measures, recorded_by, recorded_at,"
    " people_told, authority_told_at, authority_ref, closed_at FROM breach"
)
INSERT_BREACH = Command(
    "INSERT INTO breach (breach_id, noticed_at, notify_by, kinds, people, happened, measures, recorded_by,"
    " recorded_at, people_told) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)"
)
BREACHES = Statement(Breach, _BREACH + " ORDER BY noticed_at DESC LIMIT $1")
LOCK_BREACH = Statement(Breach, _BREACH + " WHERE breach_id = $1 FOR UPDATE")
TELL_AUTHORITY = Command("UPDATE breach SET authority_told_at = $2, authority_ref = $3 WHERE breach_id = $1")
COUNT_TOLD = Command("UPDATE breach SET people_told = people_told + $2 WHERE breach_id = $1")
CLOSE_BREACH = Command("UPDATE breach SET closed_at = $2, measures = $3 WHERE breach_id = $1")
