"""The views of a day's set. Pure: every number is made of published cells and of nothing else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import product
from statistics import fmean, pstdev
from typing import Final, TypeAlias

from msgspec.structs import replace

from ehr.statistics.models import Cell, Figure, Sender, Usual
from ehr.statistics.policy import NO_RECORD, counted_profiles, rules, week_of

ALL: Final = "*"
_DOCUMENT: Final = "document"
_CHANNEL: Final = "channel"
# Counts of what went on to the ministry's axis.
_ONWARD: Final = "axis-"

Row: TypeAlias = tuple[Sequence[str], int]


def coverage(cells: list[Cell]) -> list[Figure]:
    """People with and without anything in their book, by commune and population group."""
    rows = [((c.d1, c.d2, "without" if c.d3 == NO_RECORD else "with"), c.count) for c in cells]
    return _figures(("commune", "group", "record"), summed(rows))


def completeness(cells: list[Cell]) -> list[Figure]:
    """People by how much of each profile their book holds, by commune and population group."""
    rows = [
        ((profile.key, cell.d1, cell.d2, band), cell.count)
        for cell in cells
        if cell.d3 != NO_RECORD
        for profile, band in zip(counted_profiles(), cell.d3.split("|"), strict=True)
    ]
    return _figures(("profile", "commune", "group", "band"), summed(rows, fixed=1))


def cases(cells: list[Cell], week: date, today: date) -> list[Figure]:
    """People seen with a disease in a week, by commune, with a mark above the usual."""
    days = {text: date.fromisoformat(text) for text in {cell.d1 for cell in cells}}
    series: dict[tuple[str, ...], Counter[date]] = {}
    for cell in cells:
        for key in product((cell.d2, ALL), (cell.d3, cell.d3[0], ALL)):
            series.setdefault(key, Counter())[days[cell.d1]] += cell.count
    known = min(days.values(), default=week)
    complete = week < week_of(today)
    return [
        _case(key, counts, week, known, complete=complete)
        for key, counts in sorted(series.items())
        if counts[week]
    ]


def _case(key: tuple[str, ...], counts: Counter[date], week: date, known: date, *, complete: bool) -> Figure:
    mark = usual(counts, week, known, rules().usual)
    return Figure(
        of={"commune": key[0], "icd": key[1], "week": week.isoformat()},
        count=counts[week],
        usual=mark,
        above_usual=counts[week] > mark if complete and mark is not None else None,
    )


def usual(counts: Counter[date], week: date, known: date, rule: Usual) -> int | None:
    """The mark of the weeks before; None where too few of them are known. Ours, in rules.json."""
    before = [week - timedelta(weeks=back) for back in range(1, rule.weeks_before + 1)]
    there = [counts[one] for one in before if one >= known]
    if len(there) < rule.weeks_min:
        return None
    return round(fmean(there) + rule.deviations * pstdev(there))


def freshness(cells: list[Cell], senders: list[Sender], today: date) -> list[Figure]:
    """The last week with published records of each facility. A week with a few of them may not show."""
    last: dict[str, date] = {}
    for cell in cells:
        if cell.d3 == "imported":
            week = date.fromisoformat(cell.d1)
            last[cell.d2] = max(week, last.get(cell.d2, week))
    return [
        Figure(
            of={"facility": str(sender.facility_id)},
            title_vi=sender.name,
            count=sum(c.count for c in cells if c.d2 == str(sender.facility_id) and c.d3 == "imported"),
            last_week=last.get(str(sender.facility_id)),
            weeks_ago=_weeks_ago(last.get(str(sender.facility_id)), today),
        )
        for sender in senders
    ]


def intake(cells: list[Cell], senders: list[Sender]) -> list[Figure]:
    """What became of what senders sent, by status and reason."""
    rows = [
        ((c.d2, c.d3, c.d4), c.count)
        for c in cells
        if c.d3 not in (_DOCUMENT, _CHANNEL) and not c.d3.startswith(_ONWARD)
    ]
    return _named(_figures(("facility", "status", "reason"), summed(rows, last=2)), senders)


def documents(cells: list[Cell], senders: list[Sender]) -> list[Figure]:
    """Documents by type and facility; who shows none of a type sends none or a few."""
    rows = [((c.d2, c.d4), c.count) for c in cells if c.d3 == _DOCUMENT]
    kinds = sorted({key[1] for key, _ in rows})
    rows += [((str(sender.facility_id), kind), 0) for sender in senders for kind in kinds or [ALL]]
    return _named(_figures(("facility", "type"), summed(rows)), senders)


def channels(cells: list[Cell], senders: list[Sender]) -> list[Figure]:
    """By which way units came that were taken in, with each way's share of a facility and of all."""
    rows = [((c.d2, c.d4), c.count) for c in cells if c.d3 == _CHANNEL]
    totals = summed(rows)
    return [
        replace(one, percent=_percent(one.count, totals[one.of["facility"], ALL]))
        for one in _named(_figures(("facility", "channel"), totals), senders)
    ]


def deliveries(cells: list[Cell], senders: list[Sender]) -> list[Figure]:
    """What became of health checks that go on to the ministry's axis, by facility."""
    rows = [((c.d2, c.d3.removeprefix(_ONWARD)), c.count) for c in cells if c.d3.startswith(_ONWARD)]
    return _named(_figures(("facility", "status"), summed(rows)), senders)


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def summed(rows: Iterable[Row], *, fixed: int = 0, last: int = 0) -> dict[tuple[str, ...], int]:
    """Every row with the sums over its dimensions; the first `fixed` are never summed over, and the `last`
    ones only together."""
    totals: Counter[tuple[str, ...]] = Counter()
    for key, count in rows:
        for which in _choices(len(key) - fixed, last):
            kept = tuple(ALL if gone else part for part, gone in zip(key[fixed:], which, strict=True))
            totals[(*key[:fixed], *kept)] += count
    return dict(totals)


def _choices(size: int, last: int) -> list[tuple[bool, ...]]:
    """Which dimensions are summed over, in every way."""
    single = size - last
    tails = [(False,) * last, (True,) * last] if last else [()]
    return [(*head, *tail) for head in product((False, True), repeat=single) for tail in tails]


def _figures(names: Sequence[str], totals: dict[tuple[str, ...], int]) -> list[Figure]:
    return [
        Figure(of=dict(zip(names, key, strict=True)), count=count) for key, count in sorted(totals.items())
    ]


def _named(figures: list[Figure], senders: list[Sender]) -> list[Figure]:
    names = {str(sender.facility_id): sender.name for sender in senders}
    return [Figure(of=f.of, count=f.count, title_vi=names.get(f.of["facility"])) for f in figures]


def _weeks_ago(week: date | None, today: date) -> int | None:
    return None if week is None else (week_of(today) - week).days // 7
