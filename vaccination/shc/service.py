"""What the issuer of cards publishes."""

from typing import Final

from kernel.problems import Refused
from store.database import Tx
from vaccination.revocation.service import list_heads, rids_of
from vaccination.shc.keys import CardKeys, RevokedCards, key_of
from vaccination.shc.problems import CARD_KEY_UNKNOWN
from vaccination.signer.keys import document_signers, standing_signers

_SUFFIX: Final = ".json"


async def keys_of_cards(tx: Tx) -> CardKeys:
    """Every key whose cards count, the retired ones too: cards have no end."""
    counts = {head.kid: _count(head.changes) for head in await list_heads(tx)}
    signers = await standing_signers(tx, "shc")
    return CardKeys(keys=[key_of(one.certificate, counts.get(one.kid_text, _count(0))) for one in signers])


async def revoked_under(tx: Tx, name: str) -> RevokedCards | Refused:
    """The list of one key. name: `<kid>.json`. Refused: health-card-key-unknown."""
    kid = name.removesuffix(_SUFFIX)
    known = {one.kid_text for one in await document_signers(tx, "shc")}
    if not name.endswith(_SUFFIX) or kid not in known:
        return Refused(problem=CARD_KEY_UNKNOWN)
    changes, rids = await rids_of(tx, kid)
    return RevokedCards(kid=kid, ctr=_count(changes), rids=rids)


def _count(changes: int) -> int:
    return changes + 1
