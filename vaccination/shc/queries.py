"""SQL of health cards."""

from uuid import UUID

from store.statement import Command, Scalar, Statement
from vaccination.shc.models import CardRow

_CARD = """patient_id, card_id, book, signer_id, kid, rid, state, content, begun_at, issued_at, ended_at,
        end_reason"""
CARDS = Statement(
    CardRow,
    f"""
    SELECT {_CARD} FROM health_card WHERE patient_id = $1 AND state NOT IN ('signing', 'abandoned')
    ORDER BY card_id DESC LIMIT $2
    """,  # noqa: S608 - a constant of ours
)
CARD = Statement(
    CardRow,
    f"SELECT {_CARD} FROM health_card WHERE patient_id = $1 AND card_id = $2",  # noqa: S608 - a constant of ours
)
# Those that verifiers still accept, or that are being made.
LIVE = Statement(
    CardRow,
    f"""
    SELECT {_CARD} FROM health_card
    WHERE patient_id = $1 AND state IN ('signing', 'valid', 'replaced') ORDER BY card_id FOR UPDATE
    """,  # noqa: S608 - a constant of ours
)
BEGIN = Scalar(
    UUID,
    """
    INSERT INTO health_card
        (patient_id, card_id, book, signer_id, kid, rid, state, content, begun_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'signing', $7, $8)
    ON CONFLICT DO NOTHING RETURNING card_id
    """,
)
COMPLETE = Command(
    """
    UPDATE health_card SET state = 'valid', content = $3, issued_at = $4
    WHERE patient_id = $1 AND card_id = $2
    """
)
END = Command(
    """
    UPDATE health_card SET state = $3, ended_at = $4, end_reason = $5 WHERE patient_id = $1 AND card_id = $2
    """
)
