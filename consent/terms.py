"""Consent for another person: what age and the link make of a guardian's or proxy's answer (consent.md §7).

A grant for a child ends at midnight of the eighteenth birthday, and from the fifteenth it waits for the young
person's own word. Both instants are written down with the grant, so that nothing has to happen on the day.
"""

from datetime import datetime
from typing import cast
from uuid import UUID

from msgspec import Struct

from consent.queries import ASSENT_OF, INSERT_FOR_ANOTHER
from family.models import AssentMethod, Relation
from family.policy import ADULT_AGE, RECONFIRM_WITHIN, YOUTH_AGE, comes_of_age, is_of_age, needs_assent
from family.problems import GUARDIAN_NEEDED, NOT_YOUR_BOOK
from family.service import acts_for
from identity.people import person_card
from kernel.access import Access, Label
from kernel.clock import local_day
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing


class ForAnother(Struct, frozen=True, kw_only=True):
    """Who answered for whom, and until when that counts without the person's own word."""

    granted_by: UUID
    relation: Relation
    assent: AssentMethod | None
    youth_from: datetime | None
    confirm_by: datetime | None


class Terms(Struct, frozen=True, kw_only=True):
    """What an answer can be at most. is_narrow: cut to the cap of tier D; without_labels: never these.

    ends_by: no later than that instant.
    """

    is_narrow: bool = False
    without_labels: Label = Label.NONE
    ends_by: datetime | None = None
    for_another: ForAnother | None = None


async def terms_of(
    tx: Tx, keys: KeyRing, access: Access, request_id: UUID, *, attested: bool, now: datetime
) -> Terms | Refused:
    """What age and the link make of this answer. attested: the guardian says that the child agrees.

    The link is read again here, under the person's consent lock: whoever ends it takes that lock, and ends
    what was granted before. Refused: guardian-needed, where somebody under 15 answers alone; not-your-book.
    """
    if not access.is_own and not await acts_for(tx, access.actor.actor_id, access.patient_id, now):
        return Refused(problem=NOT_YOUR_BOOK)
    card = await person_card(tx, keys, access.patient_id)
    birth_date, today = card.birth_date if card else None, local_day(now)
    if access.is_own:
        alone = is_of_age(birth_date, YOUTH_AGE, today)
        return Terms() if alone else Refused(problem=GUARDIAN_NEEDED)
    if access.basis == "proxy":
        given = _for(access, "proxy", None, None)
        return Terms(without_labels=access.withheld_labels, for_another=given)
    said = cast("AssentMethod | None", await ASSENT_OF.one(tx, access.patient_id, request_id))
    # The child's own word is kept before the word of somebody who speaks for it.
    assent = "guardian-attested" if attested and said != "own-device" else said
    given = _for(access, "guardian", assent, comes_of_age(birth_date, YOUTH_AGE))
    return Terms(
        is_narrow=assent is None and needs_assent(birth_date, today),
        without_labels=access.withheld_labels,
        ends_by=comes_of_age(birth_date, ADULT_AGE),
        for_another=given,
    )


def _for(
    access: Access, relation: Relation, assent: AssentMethod | None, youth_from: datetime | None
) -> ForAnother:
    return ForAnother(
        granted_by=access.actor.actor_id,
        relation=relation,
        assent=assent,
        youth_from=youth_from,
        confirm_by=youth_from + RECONFIRM_WITHIN if youth_from else None,
    )


async def note_for_another(tx: Tx, patient_id: UUID, request_id: UUID, given: ForAnother) -> None:
    """Keep who answered, in the transaction of the grant."""
    await INSERT_FOR_ANOTHER.run(
        tx,
        patient_id,
        request_id,
        given.granted_by,
        given.relation,
        given.assent,
        given.youth_from,
        given.confirm_by,
    )
