"""A question that a person of the demo put to a facility, and a ticket of its hotline: both wait."""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from consent.decision import decide
from ehr.cases.terms import deadlines
from healthbook.demo_accounts import Activated, StaffMember, granted
from identity.models import Facility
from kernel.ids import uuid7
from store.database import Store
from visits.consultations.asking import ask, hand_of
from visits.hotline.models import NewTicket
from visits.hotline.service import ROLE, desk_of, open_ticket

WHO: Final = "hung"
WHERE: Final = "hospital"
TEXT: Final = "Tôi quên thuốc buổi sáng, buổi chiều nhớ ra thì có nên uống bù không?"
TICKET: Final = NewTicket(
    topic="lost-phone",
    text="Người gọi đổi điện thoại, hỏi cách đăng nhập lại.",
    caller_name=None,
    caller_phone=None,
)


async def ask_some(
    store: Store,
    citizens: list[Activated],
    facilities: dict[str, Facility],
    staff: list[StaffMember],
    now: datetime,
) -> None:
    """One of each, put when the phone was off its probation."""
    person = next(one for one in citizens if one.card.key == WHO)
    actor, facility_id = replace(person.actor, probation=False), facilities[WHERE].facility_id
    agent = next(one.actor for one in staff if one.card.role == ROLE)
    async with store.transaction() as tx:
        access = granted(await decide(tx, actor, actor.actor_id, "consult", "PATRQT", now, keys=store.keys))
        _, answer_by = await deadlines(tx, "consultation", now)
        hand = hand_of(access, str(uuid7(now)), now)
        granted(await ask(tx, store.keys, access, facility_id, None, TEXT, answer_by, hand))
    async with store.transaction() as tx:
        granted(await open_ticket(tx, store.keys, granted(desk_of(agent, now)), TICKET))
