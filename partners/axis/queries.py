"""All SQL of the exchange."""

from uuid import UUID

from partners.axis.models import Counted, InboundRow, Listed, MessageRow, Place, SenderRow, Waiting
from store.statement import Command, Scalar, Statement

_SENDER = "SELECT facility_id, basis, allowed_at, ended_at, held_at, held_reason FROM axis_sender"
SENDER = Statement(SenderRow, f"{_SENDER} WHERE facility_id = $1")
SENDERS = Statement(
    SenderRow,
    f"{_SENDER} ORDER BY facility_id LIMIT $1",
    fan_out="an operator lists the facilities of the exchange by hand",
)
ALLOW = Command(
    """
    INSERT INTO axis_sender (facility_id, basis, allowed_at) VALUES ($1, $2, $3)
    ON CONFLICT (facility_id) DO UPDATE SET basis = EXCLUDED.basis, allowed_at = EXCLUDED.allowed_at,
        ended_at = NULL, held_at = NULL, held_reason = NULL
    """
)
END = Scalar(
    UUID,
    "UPDATE axis_sender SET ended_at = $2 WHERE facility_id = $1 AND ended_at IS NULL RETURNING facility_id",
)
HOLD = Command(
    "UPDATE axis_sender SET held_at = $2, held_reason = $3 WHERE facility_id = $1 AND held_at IS NULL"
)
RELEASE = Command("UPDATE axis_sender SET held_at = NULL, held_reason = NULL WHERE facility_id = $1")

# None where a message that was not made yet tells it too.
PLAN = Scalar(
    UUID,
    """
    INSERT INTO axis_message (patient_id, message_id, facility_id, check_id, state, planned_at, due_by)
    VALUES ($1, $2, $3, $4, 'waiting', $5, $6)
    ON CONFLICT (patient_id, facility_id, check_id) WHERE state = 'waiting' AND made_at IS NULL DO NOTHING
    RETURNING message_id
    """,
)
_MESSAGE = (
    "SELECT patient_id, message_id, facility_id, check_id, state, planned_at, due_by, made_at, msg_id,"
    " body_sealed, attempts, withdrawn_at FROM axis_message"
)
LOCK_MESSAGE = Statement(MessageRow, f"{_MESSAGE} WHERE patient_id = $1 AND message_id = $2 FOR UPDATE")
# What must be answered first: another message about the same check that may have arrived. Ids tell no order
# here, for clocks of machines differ.
UNDER_WAY = Scalar(
    UUID,
    "SELECT message_id FROM axis_message WHERE patient_id = $1 AND facility_id = $2 AND check_id = $3"
    " AND message_id <> $4 AND state = 'waiting' AND made_at IS NOT NULL LIMIT 1",
)
SUPERSEDE = Command(
    "UPDATE axis_message SET state = 'superseded', settled_at = $5, body_sealed = NULL WHERE patient_id = $1"
    " AND facility_id = $2 AND check_id = $3 AND message_id <> $4 AND state = 'stopped'"
    " AND withdrawn_at IS NULL"
)
MAKE = Command(
    "UPDATE axis_message SET made_at = $3, msg_id = $4, body_sealed = $5, body_sha256 = $6, left_out = $7"
    " WHERE patient_id = $1 AND message_id = $2 AND made_at IS NULL"
)
TRIED = Command(
    "UPDATE axis_message SET attempts = attempts + 1, failure = $3"
    " WHERE patient_id = $1 AND message_id = $2 AND state = 'waiting'"
)
# The first answer stands; what was said stays as its digest, and the receipt.
SETTLE = Scalar(
    UUID,
    "UPDATE axis_message SET state = $3, settled_at = $4, reason = $5, receipt = coalesce($6, receipt),"
    " attempts = attempts + $7, failure = NULL, body_sealed = NULL"
    " WHERE patient_id = $1 AND message_id = $2 AND state = 'waiting' RETURNING message_id",
)
# Not made yet: it never leaves. Made: whoever has it must be told by a person, for no message says so.
WITHDRAW_UNMADE = Command(
    "UPDATE axis_message SET state = 'withdrawn', settled_at = $4 WHERE patient_id = $1 AND facility_id = $2"
    " AND check_id = $3 AND state = 'waiting' AND made_at IS NULL"
)
WITHDRAW_MADE = Scalar(
    UUID,
    "UPDATE axis_message SET withdrawn_at = $4, state = CASE state WHEN 'accepted' THEN 'stopped' ELSE state"
    " END, reason = CASE state WHEN 'accepted' THEN 'withdrawn' ELSE reason END"
    " WHERE patient_id = $1 AND facility_id = $2 AND check_id = $3 AND withdrawn_at IS NULL"
    " AND made_at IS NOT NULL AND state IN ('waiting', 'accepted') RETURNING message_id",
)

_LISTED = (
    "SELECT message_id, facility_id, state, planned_at, due_by, msg_id, attempts, failure, reason"
    " FROM axis_message"
)
OPEN = Statement(
    Listed,
    f"{_LISTED} WHERE state IN ('waiting', 'stopped') AND (state = 'stopped' OR attempts > 0 OR due_by < $1)"
    " ORDER BY planned_at, message_id LIMIT $2",
    fan_out="an operator lists what does not get through by hand",
)
FIND = Statement(
    Place,
    "SELECT patient_id, message_id FROM axis_message WHERE message_id = $1"
    " AND state IN ('waiting', 'stopped')",
    fan_out="an operator names one message by hand",
)
# One that a later message tells too stays as it is.
_RESUMABLE = """m.state = 'stopped' AND m.withdrawn_at IS NULL AND NOT EXISTS (SELECT FROM axis_message n
    WHERE n.patient_id = m.patient_id AND n.facility_id = m.facility_id AND n.check_id = m.check_id
        AND n.state = 'waiting')"""
STOPPED_OF_FACILITY = Statement(
    Place,
    f"""
    SELECT m.patient_id, m.message_id FROM axis_message m
    WHERE m.facility_id = $1 AND m.reason = $2 AND m.settled_at <= $3 AND {_RESUMABLE}
    ORDER BY m.planned_at, m.message_id LIMIT $4
    """,  # noqa: S608
    fan_out="an operator goes on with a facility by hand",
)
# Made anew: with the key, the numbers and the values of now.
RESUME = Scalar(
    UUID,
    f"""
    UPDATE axis_message m SET state = 'waiting', settled_at = NULL, reason = NULL, attempts = 0,
        failure = NULL, made_at = NULL, msg_id = NULL, body_sealed = NULL, body_sha256 = NULL
    WHERE m.patient_id = $1 AND m.message_id = $2 AND {_RESUMABLE} RETURNING m.message_id
    """,  # noqa: S608
)
CLOSE = Scalar(
    UUID,
    "UPDATE axis_message SET state = 'closed', settled_at = $3, body_sealed = NULL"
    " WHERE patient_id = $1 AND message_id = $2 AND state IN ('waiting', 'stopped') RETURNING message_id",
)
WAITING = Statement(
    Waiting,
    "SELECT count(*) FILTER (WHERE state = 'waiting')::int AS waiting,"
    " count(*) FILTER (WHERE state = 'waiting' AND due_by < $2)::int AS late,"
    " count(*) FILTER (WHERE state = 'stopped')::int AS stopped,"
    " min(planned_at) FILTER (WHERE state = 'waiting') AS oldest"
    " FROM axis_message WHERE facility_id = $1 AND state IN ('waiting', 'stopped')",
    fan_out="a facility looks now and then at what has not got through; the index holds nothing else",
)

DELIVERED = Statement(
    Counted,
    "SELECT status, reason, sum(count)::bigint AS count FROM ehr_intake_count"
    " WHERE facility_id = $1 AND day >= $2 AND day <= $3"
    " AND status IN ('channel', 'axis-in-time', 'axis-late', 'axis-kept-back') GROUP BY status, reason",
    fan_out="a facility looks at its own sums now and then; they are rows of day and status",
)

INBOUND = Statement(
    InboundRow,
    "SELECT msg_id, digest, outcome, code, reply_id, received_at FROM axis_inbound"
    " WHERE bucket = $1 AND msg_id = $2",
)
# Waits for another who is dealing with the same message.
TAKE_INBOUND = Scalar(
    str,
    """
    INSERT INTO axis_inbound (bucket, msg_id, sender_id, receiver_id, sent_at, received_at, digest, outcome,
        reason, code, reply_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'refused', NULL, $8, $9)
    ON CONFLICT (bucket, msg_id) DO NOTHING RETURNING msg_id
    """,
)
SETTLE_INBOUND = Command(
    "UPDATE axis_inbound SET outcome = $3, reason = $4, code = $5 WHERE bucket = $1 AND msg_id = $2"
)
FORGET_INBOUND = Scalar(
    int,
    "WITH old AS MATERIALIZED (SELECT bucket, msg_id FROM axis_inbound WHERE received_at < $1 LIMIT $2),"
    " gone AS (DELETE FROM axis_inbound i USING old WHERE i.bucket = old.bucket AND i.msg_id = old.msg_id"
    " RETURNING 1) SELECT count(*) FROM gone",
    fan_out="once an hour a worker removes what has ended, wherever it lies",
)
