"""What can be typed in by hand, in everyday units, and a form as the batch that phones send. Pure."""

import re
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from msgspec import Struct

from api.pages.citizen.vitals_view import CONTEXTS, TITLES_EN, pair, unit_of
from kernel.clock import VIETNAM
from vitals.kinds import KINDS
from vitals.reads.texts import TITLES_VI, UNITS_VI

# The name under which pages send, as a phone does under its own.
DEVICE: Final = "pages"
_SOURCE: Final = {"app": "pages", "kind": "manual", "method": "manual"}
_MINUTES: Final = 420
# What may be wrong of the time, of all that the gate says.
OF_TIME: Final = frozenset({"future", "too-old", "time"})
_WRONG: Final[dict[str, tuple[str, str]]] = {
    "number": ("Hãy ghi một số, ví dụ 6,5.", "Write a number, such as 6,5."),
    "time": ("Hãy chọn ngày và giờ đo.", "Choose the day and time."),
    "implausible": (
        "Số này không giống một số đo thật. Hãy xem lại máy đo và đơn vị.",
        "This does not look like a real reading. Look at the meter and the unit again.",
    ),
    "future": ("Giờ đo không thể ở tương lai.", "The time cannot be in the future."),
    "too-old": ("Ngày đo quá xa trước đây.", "That day is too long ago."),
}
_OTHER: Final = ("Không ghi được số đo này.", "This reading could not be kept.")
_NUMBER: Final = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,3})?")


class Typed(Struct, frozen=True):
    """One kind: its name in the contract, the unit on the meter, and an example. two: blood pressure."""

    kind: str
    unit: str
    example: str
    two: bool = False


def _table(*rows: Typed) -> dict[int, Typed]:
    return {KINDS[one.kind].number: one for one in rows}


# In the order of how often people measure at home.
TYPED: Final = _table(
    Typed("blood-pressure", "mm[Hg]", "130", two=True),
    Typed("glucose", "mmol/L", "6,5"),
    Typed("weight", "kg", "58,5"),
    Typed("heart-rate", "/min", "72"),
    Typed("spo2", "%", "97"),
    Typed("temperature", "Cel", "37,2"),
    Typed("height", "cm", "160"),
)


def name_of(one: Typed, *, english: bool) -> str:
    return TITLES_EN[one.kind] if english else TITLES_VI[one.kind]


def kinds(*, english: bool) -> list[tuple[int, str]]:
    """Each kind by its number, with its name."""
    return [(ident, name_of(one, english=english)) for ident, one in TYPED.items()]


def unit_shown(one: Typed) -> str:
    return UNITS_VI.get(one.unit, one.unit)


def contexts_of(one: Typed, *, english: bool) -> list[tuple[str, str]]:
    """Circumstances that may be said of a kind."""
    return [(name, CONTEXTS[name][english]) for name in KINDS[one.kind].contexts if name in CONTEXTS]


def now_local(now: datetime) -> str:
    """For a field of day and time: `2026-11-23T14:05`, Vietnam's time."""
    return f"{now.astimezone(VIETNAM):%Y-%m-%dT%H:%M}"


def batch_of(one: Typed, form: dict[str, str], now: datetime) -> dict[str, Any] | str:
    """The batch of one reading; a word for what is wrong. Its id comes from the form, so that a second press
    is the same reading; its number from the clock, so that it is a batch of its own."""
    value, second = _number(form.get("value", "")), _number(form.get("value2", ""))
    if value is None or (one.two and second is None):
        return "number"
    try:
        at = datetime.fromisoformat(form.get("at", "")).replace(tzinfo=VIETNAM)
    except ValueError:
        return "time"
    sample: dict[str, Any] = {
        "id": str(uuid5(NAMESPACE_OID, form.get("once", ""))),
        "k": KINDS[one.kind].wire,
        "t": at.isoformat(),
        "v": value,
        "u": one.unit,
        "z": _MINUTES,
    }
    sample |= {"v2": second} if one.two else {}
    sample |= {"ctx": form["ctx"]} if form.get("ctx") else {}
    sent = {"device": DEVICE, "seq": int(now.timestamp() * 1000), "sent_at": now.isoformat()}
    return sent | {"sources": [_SOURCE], "samples": [sample]}


def typed_rows(readings: dict[str, Any], *, english: bool) -> list[dict[str, str]]:
    """What was typed in, of the newest readings of a kind: in the unit it was sent in."""
    manual = {one["source_id"] for one in readings["sources"] if one["method"] == "manual"}
    return [
        {
            "id": one["id"],
            "at": one["at"],
            "value": pair(one["value"], one.get("value2")),
            "unit": unit_of(one["unit"], english=english),
        }
        for one in readings["items"]
        if one["source_id"] in manual and one.get("value") is not None
    ]


def _number(text: str) -> float | None:
    said = text.strip()
    return float(said.replace(",", ".")) if _NUMBER.fullmatch(said) else None


def wrong_words(code: str, *, english: bool) -> str:
    """What to say of it; nothing where nothing is wrong."""
    return _WRONG.get(code, _OTHER)[english] if code else ""
