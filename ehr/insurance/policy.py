"""From reported cards to the cards of a person. Pure: today is an argument."""

from collections import defaultdict
from datetime import date
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from ehr.insurance.models import Benefit, Card, CardSource, CardState, Charged, InitialFacility, Unknown

SOURCES_MAX: Final = 10
_ORDER: Final[list[CardState]] = ["valid", "not-yet", "unknown", "expired"]
_STATES: Final[dict[CardState, str]] = {
    "valid": "Thẻ đang trong thời hạn ghi trên hồ sơ.",
    "expired": "Thẻ đã hết hạn. Nếu đã gia hạn, thẻ mới hiện ra sau lần khám tiếp theo.",
    "not-yet": "Thẻ chưa đến ngày bắt đầu.",
    "unknown": "Chưa rõ thời hạn của thẻ.",
}
_UNKNOWN: Final[dict[Unknown, str]] = {
    "validity": "Chưa cơ sở nào gửi thời hạn của thẻ.",
    "benefit": "Số thẻ 10 chữ số không cho biết mức hưởng. Hỏi cơ sở khám hoặc cơ quan bảo hiểm xã hội.",
    "initial-facility": "Chưa cơ sở nào gửi nơi đăng ký khám chữa bệnh ban đầu.",
    "five-years": "Chưa cơ sở nào gửi thời điểm đủ 5 năm liên tục.",
}
LIST_VI: Final = "Danh sách của bảo hiểm xã hội"
NOTICE_VI: Final = (
    "Thông tin thẻ do cơ sở khám gửi theo từng lượt khám hoặc có trong danh sách bảo hiểm xã hội gửi đến,"
    " không phải kết quả tra cứu của bảo hiểm xã hội."
)


class _Levels(Struct):
    source: str
    confirmed: bool
    levels: dict[str, int]


_LEVELS: Final = msgspec.json.decode(files(__package__).joinpath("benefits.json").read_bytes(), type=_Levels)


class Reported(Struct, frozen=True, kw_only=True):
    """A card as one visit reported it. classes: kind → value; as_of: the day of the visit."""

    valid_from: str | None
    valid_until: str | None
    exempt_from: str | None
    classes: dict[str, str]
    facility_name: str | None
    as_of: str | None
    charged: list[int]


def cards_of(reported: list[Reported], names: dict[str, str], today: date) -> list[Card]:
    """One card of all reports with the same dates, level and first facility; the newest report counts.

    names: of facilities by code. A number is no part of it: it is not kept beside the record.
    """
    same: dict[tuple[str | None, ...], list[Reported]] = defaultdict(list)
    for one in sorted(reported, key=lambda one: one.as_of or "", reverse=True):
        level, place = one.classes.get("benefit"), one.classes.get("initial-facility")
        same[one.valid_from, one.valid_until, level, place].append(one)
    groups = list(same.values())
    cards = [_card(group, [g[0] for g in groups if g is not group], names, today) for group in groups]
    return sorted(cards, key=lambda card: _ORDER.index(card.state))


def benefit_of(digit: str | None) -> Benefit | None:
    """What the third sign of a card of 15 signs means."""
    percent = _LEVELS.levels.get(digit or "")
    if digit is None or percent is None:
        return None
    return Benefit(digit=digit, percent=percent, source=_LEVELS.source, is_confirmed=_LEVELS.confirmed)


def _card(group: list[Reported], others: list[Reported], names: dict[str, str], today: date) -> Card:
    newest = group[0]
    state = _state(newest, today)
    benefit, place = benefit_of(newest.classes.get("benefit")), newest.classes.get("initial-facility")
    since = newest.classes.get("five-years")
    charged = next((one for one in group if one.charged), None)
    told: dict[Unknown, bool] = {
        "validity": state == "unknown",
        "benefit": benefit is None,
        "initial-facility": place is None,
        "five-years": since is None,
    }
    unknown = [name for name, is_unknown in told.items() if is_unknown]
    return Card(
        state=state,
        state_vi=_STATES[state],
        valid_from=newest.valid_from,
        valid_until=newest.valid_until,
        benefit=benefit,
        charged=Charged(percents=charged.charged, on=charged.as_of) if charged else None,
        initial_facility=InitialFacility(code=place, name=names.get(place)) if place else None,
        area=newest.classes.get("area"),
        five_years=since,
        exempt_from=newest.exempt_from,
        overlaps=any(_overlap(newest, other) for other in others),
        unknown=unknown,
        unknown_vi=[_UNKNOWN[name] for name in unknown],
        sources=_sources(group),
    )


def _state(card: Reported, today: date) -> CardState:
    """By the days of the card, both inclusive. Without a last day nobody knows that it ended."""
    day = today.isoformat()
    if card.valid_until is not None and card.valid_until < day:
        return "expired"
    if card.valid_from is not None and card.valid_from > day:
        return "not-yet"
    return "unknown" if card.valid_from is None or card.valid_until is None else "valid"


def _overlap(one: Reported, other: Reported) -> bool:
    if None in (one.valid_from, one.valid_until, other.valid_from, other.valid_until):
        return False
    first, last = one.valid_from or "", one.valid_until or ""
    return first <= (other.valid_until or "") and (other.valid_from or "") <= last


def _sources(group: list[Reported]) -> list[CardSource]:
    """Each facility once, with its newest report."""
    newest: dict[str | None, str | None] = {}
    for one in group:
        newest.setdefault(one.facility_name, one.as_of)
    return [CardSource(facility_name=name, as_of=day) for name, day in newest.items()][:SOURCES_MAX]
