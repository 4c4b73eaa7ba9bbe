"""What happens to cards when the book says something else: they are revoked, with all their codes.

A new card is made when somebody asks for one. Where only an answer is awaited (an objection, a system that is
away), a card stands until then.
"""

from datetime import datetime
from uuid import UUID

from ehr.merges.service import book_of
from identity.merges.aliases import book_to_tell, origins_of
from identity.people import demographics
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit
from vaccination.certificates.evidence import ids_of, judge, standing_doses
from vaccination.revocation.hashes import card_hashes
from vaccination.revocation.service import revoke
from vaccination.shc import queries
from vaccination.shc.issuing import content_of, give_up
from vaccination.shc.models import CardDose, CardRow, Content, EndReason
from vaccination.shc.policy import by_owner, person_of_card, standing, why_untrue
from vaccination.signer.keys import revoked_signers


async def follow(tx: Tx, keys: KeyRing, patient_id: UUID, now: datetime) -> int:
    """Revoke the cards of one person that are not true any more, or whose key counts no more; how many. The
    person is told once, whatever their number."""
    rows = await queries.LIVE.all(tx, patient_id)
    if not rows:
        return 0
    person = person_of_card(await demographics(tx, keys, patient_id))
    said = [(row, content_of(keys, row)) for row in rows]
    asked = {ident for _, content in said for dose in content.doses for ident in ids_of(dose.owned)}
    doses = by_owner(await _standing(tx, patient_id, asked, now))
    lost = await revoked_signers(tx)
    judged = [(row, content, _why(row, why_untrue(content, person, doses), lost)) for row, content in said]
    untrue = [(row, content, why) for row, content, why in judged if why is not None]
    # Several keys in the order of their kids: as everybody who revokes.
    for row, content, why in sorted(untrue, key=lambda one: one[0].kid):
        await _end(tx, row, content, why, now)
    revoked = [row for row, *_ in untrue if row.state != "signing"]
    if revoked:
        ref = {"card_id": str(revoked[-1].card_id)}
        told = await book_to_tell(tx, patient_id, now)
        await emit(tx, told, "vaccination.card-revoked", ref, now)
    return len(revoked)


def _why(row: CardRow, untrue: EndReason | None, lost: set[str]) -> EndReason | None:
    return untrue or ("key-revoked" if row.signer_id in lost else None)


async def is_held(tx: Tx, patient_id: UUID, signers: set[str]) -> bool:
    """Whether a person has a card of one of these keys that verifiers look at still."""
    return any(row.signer_id in signers for row in await queries.LIVE.all(tx, patient_id))


async def _standing(tx: Tx, patient_id: UUID, asked: set[str], now: datetime) -> list[CardDose]:
    """What stands of these doses in the person's book, wherever a merge put it. What goes back to another
    person is not among it, from the decision on."""
    survivor, _ = await book_of(tx, patient_id)
    owners = {patient_id, *await origins_of(tx, patient_id)}
    found: list[CardDose] = []
    for book in dict.fromkeys((survivor, patient_id)):
        found += standing(await judge(tx, book, await standing_doses(tx, book, asked), now), now)
    return [dose for dose in found if dose.owned.patient_id in owners]


async def _end(tx: Tx, row: CardRow, content: Content, why: EndReason, now: datetime) -> None:
    if row.state == "signing":
        await give_up(tx, row, content, now)
        return
    await revoke(tx, row.kid, card_hashes(row.rid), None, now)
    await queries.END.run(tx, row.patient_id, row.card_id, "revoked", now, why)
