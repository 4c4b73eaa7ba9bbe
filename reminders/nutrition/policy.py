"""From what stands in a book to what is shown about food. Pure."""

from datetime import date
from typing import TypeAlias

import msgspec
from msgspec import Struct

from ehr.fhir import Concept, Note
from ehr.titles import name_of
from kernel.text import fold
from reminders.nutrition.models import Choice, Tip, Weekly
from reminders.nutrition.texts import DIET_ORDER_VI, NOT_TO_EAT_VI
from reminders.nutrition.words import Words

# Type and id of what of the record says it.
Row: TypeAlias = tuple[str, str]


class OralDiet(Struct, kw_only=True, rename="camel"):
    type: list[Concept] = []
    instruction: str | None = None


class Supplement(Struct, kw_only=True, rename="camel"):
    type: Concept | None = None
    product_name: str | None = None
    instruction: str | None = None


class NutritionOrder(Struct, kw_only=True, rename="camel"):
    """The fields of FHIR R4 that are words; amounts and schedules of a ward are not shown."""

    date_time: str | None = None
    oral_diet: OralDiet | None = None
    supplement: list[Supplement] = []
    exclude_food_modifier: list[Concept] = []
    note: list[Note] = []


_ORDER = msgspec.json.Decoder(NutritionOrder)


def order_tip(doc: str, facility_name: str | None) -> Tip | None:
    """A diet order in its own words; None where it has none that people can read."""
    try:
        order = _ORDER.decode(doc)
    except msgspec.ValidationError:
        return None
    diet = order.oral_diet or OralDiet()
    lines = [*_named(diet.type), diet.instruction]
    for one in order.supplement:
        lines += [one.product_name or (name_of(one.type) if one.type else None), one.instruction]
    if excluded := _named(order.exclude_food_modifier):
        lines.append(NOT_TO_EAT_VI.format(what=", ".join(excluded)))
    lines += [one.text for one in order.note]
    said = [line.strip() for line in lines if line and line.strip()]
    if not said:
        return None
    day = (order.date_time or "")[:10] or None
    return Tip(
        origin="diet-order", title_vi=DIET_ORDER_VI, text_vi=said, facility_name=facility_name, date=day
    )


def _named(concepts: list[Concept]) -> list[str]:
    return [name for one in concepts if (name := name_of(one)) is not None]


def of_the_week(tips: list[Tip], today: date) -> list[Tip]:
    """The tips with another one first each week, the others as they come: orders before all, for they are the
    person's own."""
    orders = [tip for tip in tips if tip.origin == "diet-order"]
    others = [tip for tip in tips if tip.origin != "diet-order"]
    if not others:
        return orders
    turn = (today.toordinal() - 1) // 7 % len(others)
    return [*orders, others[turn], *others[:turn], *others[turn + 1 :]]


def said_once(tips: list[tuple[Tip, Row]]) -> list[tuple[Tip, Row]]:
    """What one place says in the same words is shown once: as it was said first in this order."""
    found: dict[tuple[str | None, str], tuple[Tip, Row]] = {}
    for tip, row in tips:
        found.setdefault((tip.facility_name, fold(" ".join(tip.text_vi))), (tip, row))
    return list(found.values())


def weekly_of(choice: Choice | None, has_order: bool, defaults: Words) -> Weekly:
    """What the person chose; else on while a diet order is in force."""
    if choice is None:
        return Weekly(is_on=has_order, is_chosen=False, weekday=defaults.weekday, at=defaults.at)
    return Weekly(is_on=choice.is_on, is_chosen=True, weekday=choice.weekday, at=f"{choice.at:%H:%M}")
