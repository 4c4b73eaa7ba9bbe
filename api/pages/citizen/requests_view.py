"""A request to read the book as a page shows it: what can be chosen of it, and what was chosen."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal

from msgspec import Struct

from api.pages.scope_words import DAY, HOUR, LABELS, PURPOSES, ROLES, duration, in_order, kinds, said
from kernel.clock import add_months

LENGTHS: Final = (HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY)
MONTHS: Final = (60, 24, 12, 3)
DIGITS: Final = 6
TYPE: Final = "type."
LABEL: Final = "label."
# All of what is asked for, or what is chosen of it. Neither is chosen beforehand.
ALL: Final = "all"
SOME: Final = "some"
Way = Literal["A", "B"]
Problem = tuple[str, str, str]


class Choice(Struct, frozen=True, kw_only=True):
    """What the person allows of a request. secret: the six digits (B) or the scanned word (A)."""

    tier: Way
    secret: str
    types: list[str]
    since: str | None
    duration_seconds: int
    assent: bool
    labels: list[str] = []

    def facts(self, request: dict[str, Any], *, for_another: bool) -> dict[str, Any]:
        """What is signed beside the common members (AccessApproval)."""
        return {
            "request_id": request["request_id"],
            "tier": self.tier,
            "secret": self.secret,
            **{name: request[name] for name in ("doctor", "licence", "facility", "purpose")},
            "types": self.types,
            "since": self.since,
            "until": request["until"],
            "duration_seconds": self.duration_seconds,
            "labels": self.labels,
        } | ({"assent": self.assent} if for_another else {})

    def body(self, request: dict[str, Any]) -> dict[str, Any]:
        """The members of the approval that are not the signature."""
        return {
            "tier": self.tier,
            "secret": self.secret,
            "types": self.types,
            "since": self.since,
            "until": request["until"],
            "duration_seconds": self.duration_seconds,
            "labels": self.labels,
            "assent": self.assent,
        }

    def fields(self) -> dict[str, str]:
        """The same as members of a form, each part by itself: what is sent is what was shown."""
        fields = {
            "scan" if self.tier == "A" else "digits": self.secret,
            "what": SOME,
            "how": SOME,
            "since": self.since or "all",
            "duration": str(self.duration_seconds),
        }
        fields |= {f"{TYPE}{name}": "1" for name in self.types}
        fields |= {f"{LABEL}{name}": "1" for name in self.labels}
        return fields | ({"assent": "1"} if self.assent else {})


def card(request: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """One request in words: who asks for what, and for how long."""
    role = request["role"]
    return request | {
        "role_words": said(ROLES, role, english=english),
        "purpose_words": said(PURPOSES, request["purpose"], english=english),
        "kinds": kinds(request["types"], english=english),
        "length": duration(request["duration_seconds"], english=english),
        "left_out": [said(LABELS, label, english=english) for label in request["labels_left_out"]],
    }


def boxes(request: dict[str, Any], form: dict[str, str] | None, *, english: bool) -> list[dict[str, Any]]:
    """A box for each kind that is asked for; none is ticked until the person does it."""
    return [
        {
            "name": TYPE + name,
            "text": kinds([name], english=english)[0],
            "ticked": form is not None and TYPE + name in form,
        }
        for name in in_order(request["types"])
    ]


def label_boxes(
    request: dict[str, Any], tier: Way, form: dict[str, str], *, english: bool
) -> list[dict[str, Any]]:
    """A box for each sensitive label, where this answer may hold one. A scanned code wants a signature for
    each of them alone (consent.md §2), which the app gives: with it there are none here."""
    if tier == "A" or not _cap(request, tier)["labels_allowed"]:
        return []
    return [
        {
            "name": LABEL + name,
            "text": sentence_case(said(LABELS, name, english=english)),
            "ticked": LABEL + name in form,
        }
        for name in request["labels_left_out"]
    ]


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def two_ways(
    request: dict[str, Any], form: dict[str, str], today: date, *, english: bool
) -> dict[str, dict[str, Any]]:
    """The two choices of a page, each between all that can be given and less of it.

    what, how: `words` of all of it, whether there is `less`, and which was `chosen` before: empty at first.
    """
    tier: Way = "A" if form.get("scan") else "B"
    spans, since = lengths(request, tier, english=english), beginnings(request, tier, today, english=english)
    (longest, lasting), (widest, all_of_it) = spans[-1], since[0]
    whole = {"since": widest, "duration": str(longest)}
    as_asked = longest == request["duration_seconds"]
    return {
        "what": what_way(request["types"], form, english=english),
        "how": {
            "words": (lasting, all_of_it),
            "as_asked": as_asked,
            "less": len(spans) > 1 or len(since) > 1,
            "chosen": _chosen_way(form, "how", whole),
        },
    }


def what_way(types: Sequence[str], form: dict[str, str], *, english: bool) -> dict[str, Any]:
    """The choice of what may be read (templates/citizen/choosing.html)."""
    return {
        "words": ", ".join(kinds(types, english=english)),
        "count": len(types),
        "less": len(types) > 1,
        "chosen": _chosen_way(form, "what", {TYPE + name: "1" for name in types}),
    }


def _chosen_way(form: dict[str, str], name: str, whole: dict[str, str]) -> str:
    """Who named every part by itself chose all."""
    given = form.get(name, "")
    return ALL if given == SOME and whole.items() <= form.items() else given


def lengths(request: dict[str, Any], tier: Way, *, english: bool) -> list[tuple[int, str]]:
    """How long it can run, longest last: no longer than asked for and than this way of answering allows."""
    longest = min(request["duration_seconds"], _cap(request, tier)["duration_seconds"])
    found = [*(one for one in LENGTHS if one < longest), longest]
    return [(one, duration(one, english=english)) for one in found]


def beginnings(request: dict[str, Any], tier: Way, today: date, *, english: bool) -> list[tuple[str, str]]:
    """From which day entries are shown, as (value, words): the widest first."""
    return beginnings_from(_widest(request, tier, today), today, english=english)


def beginnings_of(since: str | None, today: date, *, english: bool) -> list[tuple[str, str]]:
    """The same of a grant, which began to show entries of `since`."""
    return beginnings_from(date.fromisoformat(since) if since else None, today, english=english)


def beginnings_from(widest: date | None, today: date, *, english: bool) -> list[tuple[str, str]]:
    """The widest first, then shorter ones within it."""
    found = [(widest.isoformat() if widest else "all", _since_words(widest, english=english))]
    for months in MONTHS:
        day = add_months(today, -months)
        if widest is None or day > widest:
            found.append((day.isoformat(), _last_words(months, english=english)))
    return found


def chosen(form: dict[str, str], request: dict[str, Any], today: date) -> Choice | list[Problem]:
    """What a form chose, or what is wrong with it: (field, Vietnamese, English)."""
    tier: Way = "A" if form.get("scan") else "B"
    types, problems = chosen_types(form, request["types"])
    since, lasts, about_time = _chosen_time(form, request, tier, today)
    digits = "".join(form.get("digits", "").split())
    problems += about_time
    if tier == "B" and (len(digits) != DIGITS or not digits.isascii() or not digits.isdigit()):
        problems.append(
            (
                "digits",
                "Hãy nhập đủ 6 chữ số đang hiện trên màn hình của bác sĩ.",
                "Type all six digits on the doctor's screen.",
            )
        )
    if problems:
        return problems
    offered = {box["name"] for box in label_boxes(request, tier, form, english=False)}
    return Choice(
        tier=tier,
        secret=form["scan"] if tier == "A" else digits,
        types=types,
        since=None if since == "all" else since,
        duration_seconds=int(lasts),
        assent="assent" in form,
        labels=[name for name in request["labels_left_out"] if LABEL + name in form.keys() & offered],
    )


def chosen_types(form: dict[str, str], types: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The kinds that a form lets somebody read, of those on its page."""
    way = form.get("what", "")
    ticked = sorted(name for name in types if TYPE + name in form)
    if way == ALL:
        return sorted(types), []
    if way != SOME:
        return [], [("what", "Hãy chọn cho xem những gì.", "Choose what they may read.")]
    if not ticked:
        return [], [("types", "Hãy chọn ít nhất một mục cho xem.", "Choose at least one kind of entry.")]
    return ticked, []


def _chosen_time(
    form: dict[str, str], request: dict[str, Any], tier: Way, today: date
) -> tuple[str, str, list[Problem]]:
    """From which day, and how many seconds; or what is wrong with them."""
    begin = [value for value, _ in beginnings(request, tier, today, english=False)]
    last = [str(seconds) for seconds, _ in lengths(request, tier, english=False)]
    if form.get("how") == ALL:
        return begin[0], last[-1], []
    if form.get("how") != SOME:
        return "", "", [("how", "Hãy chọn cho xem trong bao lâu.", "Choose for how long they may read.")]
    since, lasts = form.get("since", ""), form.get("duration", "")
    problems: list[Problem] = []
    if lasts not in last:
        problems.append(("duration", "Hãy chọn cho xem trong bao lâu.", "Choose for how long they may read."))
    if since not in begin:
        problems.append(("since", "Hãy chọn thông tin từ khi nào.", "Choose entries since when."))
    return since, lasts, problems


def _cap(request: dict[str, Any], tier: Way) -> dict[str, Any]:
    return next(one for one in request["caps"] if one["tier"] == tier)


def _widest(request: dict[str, Any], tier: Way, today: date) -> date | None:
    """The first day that can be shown at all; None: every entry."""
    asked = date.fromisoformat(request["since"]) if request["since"] else None
    months = _cap(request, tier)["history_months"]
    oldest = add_months(today, -months) if months is not None else None
    return max((day for day in (asked, oldest) if day is not None), default=None)


def _since_words(day: date | None, *, english: bool) -> str:
    if day is None:
        return "All of the past" if english else "Toàn bộ thời gian trước đây"
    return f"Since {day:%d/%m/%Y}" if english else f"Từ ngày {day:%d/%m/%Y} đến nay"


def _last_words(months: int, *, english: bool) -> str:
    years, rest = divmod(months, 12)
    if rest:
        return f"The last {months} months" if english else f"{months} tháng gần đây"
    if english:
        return "The last year" if years == 1 else f"The last {years} years"
    return f"{years} năm gần đây"
