"""Offering roots to a witness: what to offer and what to keep, each in a transaction of its own."""

from msgspec.structs import replace

from audit.ports import Offer
from audit.roots import queries
from audit.roots.models import Cosignature
from audit.roots.proofs import consistency, signed
from audit.roots.signing import from_base64url
from store.database import Tx


async def next_offer(tx: Tx) -> Offer | None:
    """The newest root, unless a witness signed it; it covers those in between that no witness saw."""
    newest = await queries.NEWEST_ROOT.one(tx)
    seen = await queries.WITNESSED_UP_TO.one(tx)
    if newest is None or seen == newest.number:
        return None
    known = None if seen is None else await queries.ROOT_BY_NUMBER.one(tx, seen)
    old = known.size if known is not None and known.epoch == newest.epoch else 0
    return Offer(
        old_size=old,
        consistency=await consistency(tx, newest.epoch, old, newest.size),
        root=(await signed(tx, [newest]))[0],
    )


async def offer_from(tx: Tx, offer: Offer, size: int) -> Offer | None:
    """The same root from the size that the witness knows; None where that is more than the log ever had."""
    root = offer.root.root
    if size > root.size:
        return None
    return replace(offer, old_size=size, consistency=await consistency(tx, root.epoch, size, root.size))


async def keep_cosignature(tx: Tx, offer: Offer, said: Cosignature) -> None:
    """What is kept is published with the root."""
    signature = from_base64url(said.signature) or b""
    await queries.INSERT_COSIGNATURE.run(tx, offer.root.root.number, said.witness, said.at, signature)
