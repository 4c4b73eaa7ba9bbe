"""What a person of the demo said of the own health, beside what facilities sent."""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from consent.decision import decide
from ehr.statements.models import StatementBody
from ehr.statements.service import say
from healthbook.demo_accounts import Activated, granted
from kernel.ids import uuid7
from store.database import Store

WHO: Final = "bler"
SAID: Final = (
    StatementBody(kind="allergy", name="Phấn hoa cà phê", code="4", reaction="Hắt hơi, chảy nước mũi"),
    StatementBody(kind="medicine", name="Nước lá ổi", origin="herbal", dosage="Uống khi đau bụng"),
    StatementBody(kind="family-history", relative="Bà ngoại", code="2"),
)


async def say_some(store: Store, citizens: list[Activated], now: datetime) -> None:
    """A few statements of one person, said when the phone was off its probation."""
    person = next(one for one in citizens if one.card.key == WHO)
    actor = replace(person.actor, probation=False)
    async with store.transaction() as tx:
        access = granted(
            await decide(tx, actor, actor.actor_id, "add-to-record", "PATRQT", now, keys=store.keys)
        )
        for body in SAID:
            granted(await say(tx, store.keys, access, body, request_id=str(uuid7(now)), now=now))
