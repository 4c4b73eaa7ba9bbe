"""Verifying with what this installation knows: its own keys, the lists it took, its revocations."""

from datetime import datetime

from store.database import Tx
from vaccination.revocation.service import is_revoked
from vaccination.trust.service import OWN, keys_of_kid
from vaccination.verify.judging import Known, judge
from vaccination.verify.models import Verdict
from vaccination.verify.reading import Reading
from vaccination.verify.texts import read


async def verify(tx: Tx, text: str, card_issuer: str, now: datetime) -> Verdict:
    """The verdict over any text, never an exception for what it holds. Nothing of it is kept.

    card_issuer: our own address as an issuer of health cards. What was revoked is known of our own keys.
    """
    reading = read(text)
    return judge(reading, await _known(tx, reading, card_issuer), now)


async def _known(tx: Tx, reading: Reading, card_issuer: str) -> Known:
    # A text of PostgreSQL holds no U+0000, and no kid does.
    if not reading.is_whole or reading.kid is None or "\0" in reading.kid:
        return Known()
    keys = await keys_of_kid(tx, reading.kid, card_issuer)
    if not any(key.source == OWN for key in keys):
        return Known(keys=tuple(keys))
    return Known(keys=tuple(keys), is_revoked=await is_revoked(tx, reading.kid, *reading.hashes))
