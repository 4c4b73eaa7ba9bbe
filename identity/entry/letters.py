"""Six letters by SMS: made, kept as HMAC, compared, and whether they may leave (security.md S2)."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from identity import budgets, phones
from identity.identifiers import is_mobile
from store.database import Tx
from store.keys import KeyRing

CODE_LETTERS: Final = 6
CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5
# No I and O: they are read as 1 and 0. 24^6 = 1.9 · 10^8 codes, five tries each.
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PREFIX_LENGTH: Final = len("+84903123")


def new_letters() -> str:
    """Six of them, as they are read out nowhere."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))


def letters_mac(pepper: bytes, challenge_id: str, code: str) -> bytes:
    """What rests of a code: bound to its challenge and useless without the pepper."""
    return hmac.digest(pepper, challenge_id.encode() + b"\0" + code.encode(), hashlib.sha256)


def letters_hold(keys: KeyRing, challenge_id: str, code: str, pepper_id: str, code_hash: bytes) -> bool:
    """Compare what somebody typed, in any case and spacing."""
    _, pepper = keys.secret("pepper", pepper_id)
    presented = "".join(code.split()).upper()
    return hmac.compare_digest(letters_mac(pepper, challenge_id, presented), code_hash)


async def may_send(tx: Tx, phone_hash: bytes, number: str, now: datetime) -> bool:
    """Caps of the phone and its block of numbers, and no consent code live there (S2).

    The lock comes last: a start that sends nothing must not keep consent codes away (S31).
    """
    prefix = budgets.subject(number[:PREFIX_LENGTH])
    for budget, id_hash in (
        (budgets.SENDS_HOUR, phone_hash),
        (budgets.SENDS_DAY, phone_hash),
        (budgets.SENDS_PREFIX, prefix),
    ):
        if not await budgets.charge(tx, budget, id_hash, now):
            return False
    free = await phones.take_code_lock(tx, phone_hash, "sign-in", now + CODE_LIFE, now)
    return free and is_mobile(number)
