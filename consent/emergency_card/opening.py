"""Opening a card by its code. Whoever holds the code sees the ticked lines; each opening is one row of the
log and one notice.

A code that is wrong, old, off, held, or of somebody dead or merged is one and the same refusal. Wrong codes
are counted for each network alone, and right ones for each card and network: nobody elsewhere can use up what
an ambulance needs (security.md S31).
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from consent.decision import decide_card
from consent.emergency_card import content, queries
from consent.emergency_card.models import LiveCard
from consent.emergency_card.problems import CARD_OFF, CARD_UNKNOWN
from ehr.reads.currency import Currency
from ehr.reads.models import Built
from identity import budgets
from identity.budgets import Budget
from identity.tokens import read_access_token
from kernel.access import Access, Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

# A photo of the card in a network of many must not be read all day; whoever treats opens it a few times.
OPENINGS: Final = Budget(kind="card-opening", limit=60, window=timedelta(hours=1))
WRONG_CODES: Final = Budget(kind="card-wrong-code", limit=60, window=timedelta(hours=1))
# Push fatigue (consent.md §8): three ring, then the inbox alone says it.
RINGS: Final = Budget(kind="card-ring", limit=3, window=timedelta(minutes=10))


class Opened(Struct, frozen=True):
    """A card that is open for this one answer."""

    access: Access
    card: LiveCard


async def open_card(tx: Tx, token: str, network: str, now: datetime) -> Opened | Refused:
    """Check the code and tell the person. Refused: emergency-card-unknown, too-many."""
    read = read_access_token(token)
    card = None if read is None else await queries.live_card(tx, read[0])
    if read is None or card is None or not hmac.compare_digest(card.secret_hash, read[1]):
        network_hash = budgets.subject(network)
        spent = await budgets.charge_or_refuse(tx, WRONG_CODES, network_hash, now)
        return spent or Refused(problem=CARD_UNKNOWN)
    pair = budgets.subject(card.patient_id.bytes + network.encode())
    spent = await budgets.charge_or_refuse(tx, OPENINGS, pair, now)
    if spent is not None:
        return spent
    # Who opens is unknown: the log keeps the kind of network and no address.
    actor = Actor(kind="bearer", actor_id=card.card_id, name=network_class(network))
    await _tell(tx, card, now)
    return Opened(decide_card(card, actor), card)


async def preview(tx: Tx, access: Access) -> Opened | Refused:
    """What whoever opens the card would see, for the person: the same lines through the same filter.

    Refused: emergency-card-off.
    """
    card = await queries.live_card(tx, access.patient_id)
    return Refused(problem=CARD_OFF) if card is None else Opened(decide_card(card, access.actor), card)


async def content_of(tx: Tx, keys: KeyRing, opened: Opened, now: datetime, currency: Currency) -> Built:
    return await content.read(tx, keys, opened.access, opened.card, now, currency)


def network_class(network: str) -> str:
    """What the log may keep of where a card was opened."""
    return "IPv6" if ":" in network else "IPv4" if "." in network else "máy chủ"


async def _tell(tx: Tx, card: LiveCard, now: datetime) -> None:
    rings = await budgets.charge(tx, RINGS, budgets.subject(b"ring" + card.patient_id.bytes), now)
    event = "consent.card-opened" if rings else "consent.card-opened-silently"
    await emit(tx, card.patient_id, event, {"card_id": str(card.card_id)}, now)
