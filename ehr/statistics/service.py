"""A report of a published set: as figures for JSON, as lines for CSV. No filter reaches the exact numbers."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, get_args

from ehr.statistics import queries, reports
from ehr.statistics.models import Cell, Figure, Report, ReportName, SetRow
from ehr.statistics.policy import groups, rules, week_of
from ehr.statistics.problems import NO_SUCH_REPORT, STATISTICS_NOT_READY
from kernel.problems import Refused
from store.database import Tx

FIGURES_MAX: Final = 20_000
_DAYS_MAX: Final = 60
_ROUNDED_VI: Final = (
    "Mỗi ô được làm tròn riêng thành bội số của 5 (lên hoặc xuống); tổng được cộng từ các ô đã làm tròn; "
    "0 nghĩa là không có hoặc rất ít."
)
_VIEW_VI: Final = (
    "Không đếm dữ liệu nhạy cảm, phần bị phản đối, đã rút lại, hoặc phần người dân ẩn với mọi người; "
    "người có hai hồ sơ đã gộp được đếm một lần."
)
_WEEK_VI: Final = "Tuần tính từ thứ Hai; tuần đang diễn ra chưa đủ ngày."
_NOTES: Final[dict[ReportName, list[str]]] = {
    "coverage": [
        _ROUNDED_VI,
        _VIEW_VI,
        rules().groups_note_vi,
        "Mẫu số là số người có trong hệ thống, không phải dân số. Người đã mất không được đếm. "
        "Xã theo mã nơi gửi ghi; để trống là không rõ.",
    ],
    "completeness": [_ROUNDED_VI, _VIEW_VI, rules().groups_note_vi],
    "cases": [
        _ROUNDED_VI,
        _VIEW_VI,
        "Một người có chẩn đoán trong tuần được đếm một lần cho mỗi nhóm 3 ký tự; nhóm một chữ cái và dấu * "
        "là tổng các nhóm 3 ký tự, nên một người có thể được đếm nhiều lần.",
        rules().usual_note_vi,
        _WEEK_VI,
    ],
    "freshness": [
        _ROUNDED_VI,
        "Tuần gần nhất có số liệu công bố; cơ sở gửi rất ít có thể không hiện.",
        _WEEK_VI,
    ],
    "intake": [_ROUNDED_VI, "Phần bị giữ lại theo quy định về dữ liệu nhạy cảm không nằm trong số liệu này."],
    "channels": [
        _ROUNDED_VI,
        "api: phần mềm của cơ sở tự gửi; file: cơ sở nộp tệp; form: nhân viên nhập tay; operator: người "
        "vận hành nạp giúp. Tỷ lệ tính trên số đã làm tròn; phần bị từ chối không được đếm.",
    ],
    "deliveries": [
        _ROUNDED_VI,
        "Phiếu khám sức khỏe gửi lên trục của Bộ Y tế. in-time: trong 24 giờ từ khi cơ sở ghi nhận; "
        "late: muộn hơn; stopped: cần người xử lý; kept-back: không được phép gửi.",
    ],
    "documents": [_ROUNDED_VI, "0 ở một loại giấy tờ nghĩa là cơ sở không gửi hoặc gửi rất ít."],
}


async def published_sets(tx: Tx) -> list[SetRow]:
    """The sets that can be asked for, newest first."""
    return await queries.PUBLISHED.all(tx, _DAYS_MAX)


async def report(tx: Tx, asked_for: str, day: date | None, week: date | None) -> Report | Refused:
    """One report of one day's set. day: None = the newest. week: of the cases; None = the last whole one."""
    name = next((one for one in get_args(ReportName) if one == asked_for), None)
    if name is None:
        return Refused(problem=NO_SUCH_REPORT)
    sets = await published_sets(tx)
    found = next((one for one in sets if day in (None, one.day)), None)
    if found is None:
        return Refused(problem=STATISTICS_NOT_READY)
    asked = week_of(week or found.day - timedelta(weeks=1))
    figures = await _figures(tx, name, found.day, asked)
    return Report(
        report=name,
        day=found.day,
        week=asked if name == "cases" else None,
        notes_vi=_NOTES[name],
        figures=figures[:FIGURES_MAX],
        more=len(figures) > FIGURES_MAX,
    )


async def _figures(tx: Tx, name: ReportName, day: date, week: date) -> list[Figure]:
    if name == "cases":
        first = week - timedelta(weeks=rules().usual.weeks_before)
        between = first.isoformat(), week.isoformat()
        cells = await queries.CELLS_BETWEEN.all(tx, day, "cases", *between)
        return await asyncio.to_thread(reports.cases, cells, week, day)
    if name in ("coverage", "completeness"):
        people = await queries.CELLS.all(tx, day, "people")
        return reports.coverage(people) if name == "coverage" else reports.completeness(people)
    return await _of_senders(tx, name, await queries.CELLS.all(tx, day, "senders"), day)


async def _of_senders(tx: Tx, name: ReportName, cells: list[Cell], day: date) -> list[Figure]:
    senders = await queries.SENDERS.all(tx)
    if name == "freshness":
        return reports.freshness(cells, senders, day)
    made = {
        "intake": reports.intake,
        "documents": reports.documents,
        "channels": reports.channels,
        "deliveries": reports.deliveries,
    }
    return made[name](cells, senders)


def table_of(made: Report) -> Iterator[list[str | int | Decimal | None]]:
    """The report as lines: names of the columns, then one line per figure."""
    dimensions = list(made.figures[0].of) if made.figures else []
    yield [*dimensions, "count", "title", "usual", "above_usual", "last_week", "weeks_ago", "percent"]
    for figure in made.figures:
        above = None if figure.above_usual is None else int(figure.above_usual)
        last = figure.last_week.isoformat() if figure.last_week else None
        percent = None if figure.percent is None else Decimal(str(figure.percent))
        row = figure.count, figure.title_vi, figure.usual, above, last, figure.weeks_ago, percent
        yield [*figure.of.values(), *row]


def group_names() -> dict[str, str]:
    """Population groups by key, as reports name them."""
    return {group.key: group.title_vi for group in groups()}


def made_at(found: SetRow) -> datetime:
    """When a set was published."""
    assert found.published_at is not None
    return found.published_at
