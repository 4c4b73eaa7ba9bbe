"""Removing ended rows of identity. How long each kind is kept is decided in healthbook/housekeeping.py."""

from datetime import datetime
from typing import Final, Literal

from identity.housekeeping import queries
from store.database import Tx
from store.statement import Scalar

Ended = Literal[
    "sign-in-challenges",
    "phone-proofs",
    "activation-proposals",
    "activation-codes",
    "activation-undo",
    "attempt-budgets",
    "phone-code-locks",
    "step-up-nonces",
    "sessions",
    "app-sessions",
    "identity-transactions",
]
_DELETE: Final[dict[Ended, Scalar[int]]] = {
    "sign-in-challenges": queries.DELETE_CHALLENGES,
    "phone-proofs": queries.DELETE_PHONE_PROOFS,
    "activation-proposals": queries.DELETE_ACTIVATIONS,
    "activation-codes": queries.DELETE_ACTIVATION_CODES,
    "activation-undo": queries.DELETE_UNDO,
    "attempt-budgets": queries.DELETE_BUDGETS,
    "phone-code-locks": queries.DELETE_CODE_LOCKS,
    "step-up-nonces": queries.DELETE_NONCES,
    "sessions": queries.DELETE_SESSIONS,
    "app-sessions": queries.DELETE_APP_SESSIONS,
    "identity-transactions": queries.DELETE_TRANSACTIONS,
}


async def housekeeping(tx: Tx, ended: Ended, before: datetime, limit: int) -> int:
    """Remove what ended before that time, of at most `limit` keys. Returns how many rows went."""
    return await _DELETE[ended].one(tx, before, limit) or 0
