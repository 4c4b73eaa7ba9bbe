"""What a book and reviewed articles say about food, and the reminder of it once a week.

Nothing is written here: a diet order, an advice of a visit or a paragraph of a reviewed article is shown in
its own words, with where it comes from. What is refuted, hidden or withheld does not exist for a reader.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec

from ehr.knowledge.service import active_groups, published
from ehr.models import Item
from ehr.reads.models import Built
from ehr.reads.raw import encode
from ehr.reads.scope import scope_of
from kernel.access import Access
from kernel.clock import local_day
from reminders.faces import Face
from reminders.looking import look_at
from reminders.models import Reminder
from reminders.nutrition import queries
from reminders.nutrition.models import Choice, Nutrition, Tip, Weekly
from reminders.nutrition.policy import of_the_week, order_tip, said_once, weekly_of
from reminders.nutrition.texts import ADVICE_VI, NOTICE_VI, WEEKLY_VI
from reminders.nutrition.words import is_about_food, words
from reminders.shown import CameFrom
from reminders.sources import Schedule, plan_source
from reminders.switches.service import is_on
from store.database import Tx
from store.keys import KeyRing

SOURCE: Final = "nutrition:weekly"
_item = msgspec.json.Decoder(Item).decode


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """What is said about food as far as the reader sees the book, the week's own word first."""
    tips, shown = await _tips(tx, access, now)
    told = Nutrition(
        items=of_the_week(tips, local_day(now)),
        weekly=await _weekly(tx, access, tips),
        is_told=await is_on(tx, access.patient_id, "nutrition"),
        words_version=words().version,
        notice_vi=NOTICE_VI,
    )
    return Built(encode(told), shown)


async def choose(tx: Tx, access: Access, wanted: bool, weekday: int, at: time, now: datetime) -> Weekly:
    """When the person wants to be told."""
    await queries.keep_choice(tx, access.patient_id, wanted, weekday, at, now)
    await look_at(tx, access.patient_id, now)
    return weekly_of(Choice(wanted, weekday, at, now), False, words())


async def plan(tx: Tx, own: Access, now: datetime) -> None:
    """Bring the weekly reminder in line: none where nothing is said. Again changes nothing."""
    tips, _ = await _tips(tx, own, now)
    weekly = await _weekly(tx, own, tips)
    timing = None
    if weekly.is_on and tips:
        timing = Schedule(times=(time.fromisoformat(weekly.at),), weekdays=(weekly.weekday,))
    await plan_source(tx, own.patient_id, "nutrition", SOURCE, timing, now)


async def stands(tx: Tx, own: Access, one: Reminder, now: datetime) -> bool:
    """Whether there is still something to read."""
    if one.patient_id != own.patient_id:
        return False
    tips, _ = await _tips(tx, own, now)
    return bool(tips) and (await _weekly(tx, own, tips)).is_on


async def faces(
    tx: Tx, _keys: KeyRing, access: Access, rows: list[Reminder], now: datetime
) -> Mapping[UUID, Face]:
    """The week's own word with its source, for whoever sees any."""
    tips, _ = await _tips(tx, access, now)
    if not tips:
        return {}
    first = of_the_week(tips, local_day(now))[0]
    came_from = CameFrom(
        what="nutrition",
        id=first.slug,
        text=first.text_vi,
        facility_name=first.facility_name,
        source=first.reviewer,
    )
    face = Face(title=WEEKLY_VI, came_from=came_from)
    return {one.reminder_id: face for one in rows if one.patient_id == access.patient_id}


async def _weekly(tx: Tx, access: Access, tips: list[Tip]) -> Weekly:
    choice = None
    for person in (*sorted(access.origins), access.patient_id):
        choice = await queries.CHOICE.one(tx, person) or choice
    return weekly_of(choice, any(tip.origin == "diet-order" for tip in tips), words())


async def _tips(tx: Tx, access: Access, now: datetime) -> tuple[list[Tip], list[tuple[str, str]]]:
    """Everything that is said, and what of the record it shows."""
    orders = [
        (tip, (row.rtype, row.id))
        for row in await queries.ORDERS.all(tx, *scope_of(access, now))
        if (tip := order_tip(row.doc, row.facility_name)) is not None
    ]
    since = now - timedelta(days=words().advice_days)
    advice = [
        (tip, (row.rtype, row.id))
        for row in await queries.ADVICE.all(tx, *scope_of(access, now), since)
        if (tip := _advice(_item(row.item))) is not None
    ]
    found = [*orders, *said_once(advice)]
    tips = [*(tip for tip, _ in found), *await _articles(tx, access, now)]
    return tips, [named for _, named in found]


def _advice(item: Item) -> Tip | None:
    """An advice that says something about food, whole and unchanged."""
    text = (item.text or "").strip()
    if not text or not is_about_food(text):
        return None
    return Tip(
        origin="advice",
        title_vi=ADVICE_VI,
        text_vi=text.splitlines(),
        facility_name=item.facility_name,
        date=item.date,
    )


async def _articles(tx: Tx, access: Access, now: datetime) -> list[Tip]:
    """Paragraphs about food of reviewed articles that go with what is active in the book."""
    active = await active_groups(tx, access, now)
    return [
        Tip(
            origin="article",
            title_vi=article.title_vi,
            text_vi=said,
            slug=slug,
            reviewer=review.reviewer,
            date=review.reviewed_on.isoformat(),
        )
        for slug, (article, review) in (await published(tx)).items()
        if active.intersection(article.icd)
        and (said := [one.text_vi for one in article.paragraphs if is_about_food(one.text_vi)])
    ]
