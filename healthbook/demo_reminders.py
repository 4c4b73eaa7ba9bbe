"""Reminders of the demo beside those of medicines: what each book asks for by itself, a measurement and words
of one person, and words that a mother set for her child."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from consent.decision import decide
from healthbook.demo_accounts import Activated, granted
from healthbook.demo_sheet import DemoChild
from healthbook.look_jobs import look
from reminders.looking import look_at
from reminders.own.models import OwnBody
from reminders.own.service import make
from store.database import Store

WHO: Final = "hung"
SAID: Final = (
    OwnBody(measure="blood-pressure", times=["06:30"], weekdays=[1, 4]),
    OwnBody(text="Mang theo sổ khám cũ", times=["19:00"], weekdays=[7]),
)
OF_CHILD: Final = OwnBody(text="Đánh răng trước khi ngủ", times=["20:30"])


async def remind_some(store: Store, citizens: list[Activated], child: DemoChild, now: datetime) -> None:
    """Look at every book once, as a worker would, and set what two people ask for."""
    for patient_id in (*(one.card.patient_id for one in citizens), child.patient_id):
        async with store.transaction() as tx:
            again_at = await look(tx, store.keys, patient_id, now)
            if again_at is not None:
                await look_at(tx, UUID(patient_id), again_at)
    person = next(one for one in citizens if one.card.key == WHO)
    mother = next(one for one in citizens if one.card.key == child.guardian)
    for who, patient_id, bodies in (
        (person, person.card.patient_id, SAID),
        (mother, child.patient_id, (OF_CHILD,)),
    ):
        await _ask(store, who, UUID(patient_id), bodies, now)


async def _ask(
    store: Store, who: Activated, patient_id: UUID, bodies: tuple[OwnBody, ...], now: datetime
) -> None:
    actor = replace(who.actor, probation=False)
    async with store.transaction() as tx:
        access = granted(
            await decide(tx, actor, patient_id, "manage-reminders", "PATRQT", now, keys=store.keys)
        )
        for body in bodies:
            granted(await make(tx, store.keys, access, body, now))
