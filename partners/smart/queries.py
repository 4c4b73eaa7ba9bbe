"""All SQL of authorization requests. Each step is one conditional UPDATE: of two at once one finds it."""

from uuid import UUID

from partners.smart.models import AuthorizationRow, CodeRow, SpentRow
from store.epoch import epoch_holds
from store.statement import Command, Scalar, Statement

_COLUMNS = """a.request_id, a.client_id, a.phase, a.redirect_uri, a.state, a.scope, a.code_challenge, a.jkt,
    a.hint_hash, a.transaction_id, a.verification_id, a.patient_id, a.level, a.device_id, a.ticked, a.ends_at,
    a.choice, a.signature, a.digits_hash, a.tries, a.created_at, a.expires_at"""
# $1 request, $2 now. One of before a restore is dead.
_LIVES = f"a.request_id = $1 AND a.expires_at > $2 AND NOT {epoch_holds('a.created_at')}"

INSERT = Command(
    """
    INSERT INTO app_authorization (request_id, client_id, phase, redirect_uri, state, scope, code_challenge,
        jkt, hint_hash, pushed_hash, browser_hash, level, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13)
    """
)
TAKE_PUSHED = Scalar(
    UUID,
    f"""
    UPDATE app_authorization AS a SET phase = 'open', pushed_hash = NULL, browser_hash = $5, expires_at = $6
    WHERE {_LIVES} AND a.client_id = $3 AND a.pushed_hash = $4 AND a.phase = 'pushed' RETURNING a.request_id
    """,  # noqa: S608
)
IN_BROWSER = Statement(
    AuthorizationRow,
    f"SELECT {_COLUMNS} FROM app_authorization a WHERE {_LIVES} AND a.browser_hash = $3",  # noqa: S608
)
BY_ID = Statement(
    AuthorizationRow,
    f"SELECT {_COLUMNS} FROM app_authorization a WHERE {_LIVES} AND a.patient_id = $3",  # noqa: S608
)
NOTE_TRANSACTION = Scalar(
    UUID,
    f"""
    UPDATE app_authorization AS a SET transaction_id = $3
    WHERE {_LIVES} AND a.phase = 'open' RETURNING a.request_id
    """,  # noqa: S608
)
PROVE = Statement(
    AuthorizationRow,
    f"""
    UPDATE app_authorization AS a SET phase = 'proven', patient_id = $3, level = $4, verification_id = $5
    WHERE {_LIVES} AND a.phase = 'open' RETURNING {_COLUMNS}
    """,  # noqa: S608
)
# Whoever opens it in an app first has it; again and again for that person alone.
LOOK_AT = Statement(
    AuthorizationRow,
    f"""
    UPDATE app_authorization AS a SET phase = 'looked-at', patient_id = $3, level = $4
    WHERE {_LIVES} AND (a.phase = 'open' OR (a.phase = 'looked-at' AND a.patient_id = $3))
    RETURNING {_COLUMNS}
    """,  # noqa: S608
)
WISH_OF_CODE = Statement(
    AuthorizationRow,
    f"""
    SELECT {_COLUMNS} FROM app_authorization a
    WHERE {_LIVES} AND (a.phase = 'open' OR (a.phase = 'looked-at' AND a.patient_id = $3))
    """,  # noqa: S608
)
AGREE = Scalar(
    UUID,
    f"""
    UPDATE app_authorization AS a SET phase = 'agreed', ticked = $4, ends_at = $5, choice = $6,
        signature = $7, device_id = $8, digits_hash = $9
    WHERE {_LIVES} AND a.phase = 'looked-at' AND a.patient_id = $3 RETURNING a.request_id
    """,  # noqa: S608
)
# Charged before anything is compared; the last try leaves nothing to try.
CHARGE_DIGITS = Scalar(
    int,
    f"""
    UPDATE app_authorization AS a SET tries = a.tries + 1
    WHERE {_LIVES} AND a.phase = 'agreed' AND a.tries < $3 RETURNING a.tries
    """,  # noqa: S608
)
GRANT = Scalar(
    UUID,
    f"""
    UPDATE app_authorization AS a SET phase = 'granted', code_hash = $3, code_until = $4, reference = $5,
        granted = $6, ends_at = $7
    WHERE {_LIVES} AND a.phase IN ('proven', 'agreed') RETURNING a.request_id
    """,  # noqa: S608
)
END = Scalar(
    UUID,
    f"""
    UPDATE app_authorization AS a SET phase = 'ended'
    WHERE {_LIVES} AND a.phase IN ('open', 'proven', 'looked-at', 'agreed') RETURNING a.request_id
    """,  # noqa: S608
)
REDEEM = Statement(
    CodeRow,
    f"""
    UPDATE app_authorization AS a SET phase = 'redeemed'
    WHERE a.request_id = $1 AND a.code_until > $2 AND a.code_hash = $3 AND a.phase = 'granted'
        AND NOT {epoch_holds("a.created_at")}
    RETURNING a.client_id, a.redirect_uri, a.code_challenge, a.jkt, a.scope, a.patient_id, a.reference,
        a.granted, a.ends_at
    """,  # noqa: S608
)
NOTE_SESSION = Command("UPDATE app_authorization SET session_id = $2 WHERE request_id = $1")
SPENT = Statement(
    SpentRow,
    """
    SELECT client_id, session_id FROM app_authorization
    WHERE request_id = $1 AND code_hash = $2 AND phase = 'redeemed'
    """,
)

CLAIM_CODE = Scalar(
    UUID,
    """
    INSERT INTO app_authorization_code (code_hash, request_id, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (code_hash) DO UPDATE SET expires_at = EXCLUDED.expires_at
    WHERE app_authorization_code.request_id = EXCLUDED.request_id RETURNING request_id
    """,
)
BY_CODE = Scalar(
    UUID, "SELECT request_id FROM app_authorization_code WHERE code_hash = $1 AND expires_at > $2"
)

_HOURLY = "once an hour a worker removes what has ended, wherever it lies"
FORGET = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (SELECT request_id FROM app_authorization WHERE expires_at < $1 LIMIT $2),
        gone AS (DELETE FROM app_authorization WHERE request_id IN (SELECT request_id FROM old) RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out=_HOURLY,
)
FORGET_CODES = Scalar(
    int,
    """
    WITH old AS MATERIALIZED (SELECT code_hash FROM app_authorization_code WHERE expires_at < $1 LIMIT $2),
        gone AS (DELETE FROM app_authorization_code WHERE code_hash IN (SELECT code_hash FROM old)
            RETURNING 1)
    SELECT count(*) FROM gone
    """,
    fan_out=_HOURLY,
)
