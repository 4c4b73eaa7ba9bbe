"""The two papers: what stands on the doctor's page and in the person's book (design: ehr-core.md §5.1)."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from documents.pdf import Block, Line, Mark, Paper, book, sheet
from ehr.exports import queries
from ehr.exports.lines import day_text, declared_text, detail_text, title_text
from ehr.exports.queries import BOOK_LINES_MAX, REPEATED_ROWS_MAX, BookRow
from ehr.models import Item
from ehr.reads.faces import NO_COPIES, Copies, copies_of, faced, merged
from ehr.reads.models import Built, Person, Summary, SummarySection
from ehr.reads.scope import scope_of
from ehr.views.care import APPOINTMENT
from kernel.access import Access
from kernel.clock import VIETNAM
from store.database import Tx

_SEXES: Final = {"male": "Nam", "female": "Nữ", "unknown": "Giới tính chưa rõ"}
_MARKS: Final[dict[str, Mark]] = {
    "low": "low",
    "high": "high",
    "abnormal": "alert",
    "critical": "alert",
    "critical-low": "low",
    "critical-high": "high",
}
NO_INFORMATION: Final = "Chưa có thông tin."
# The book's order: what matters in an emergency, then what happened, newest first.
_BOOK: Final = {
    "allergies": "Dị ứng",
    "alerts": "Cảnh báo",
    "problems": "Bệnh và chẩn đoán",
    "medications": "Thuốc",
    "immunizations": "Tiêm chủng",
    "encounters": "Lượt khám",
    "health-checks": "Khám sức khỏe",
    "results": "Kết quả xét nghiệm",
    "vital-signs": "Dấu hiệu sinh tồn",
    "imaging": "Chẩn đoán hình ảnh",
    "procedures": "Thủ thuật, phẫu thuật",
    "care-plans": "Lời dặn và kế hoạch chăm sóc",
    "programmes": "Được theo dõi",
    "pregnancy": "Thai kỳ",
    "devices": "Thiết bị y tế",
    "social": "Lối sống",
    "family-history": "Tiền sử gia đình",
    "documents": "Giấy tờ",
}
# What visits repeat, and how a repetition is called.
_REPEATED: Final = {"medications": "kê", "problems": "ghi", "care-plans": "ghi"}
# Sections that the summary cuts by rows: of these the doctor's page folds all rows.
_LONG: Final = ("problems", "medications", "care-plans")
_ALWAYS: Final = frozenset({"allergies", "problems", "medications", "immunizations", "encounters", "results"})
SHARING_CAUTION: Final = (
    "Bản này có thông tin sức khỏe riêng tư của bạn. Ai có tệp hoặc bản in này đều đọc được; "
    "không gửi qua mạng xã hội. Để bác sĩ xem sổ, hãy dùng mã đồng ý trong ứng dụng."
)

# On every book alike, so that it tells nobody whether something is hidden.
HIDDEN_LEFT_OUT: Final = "Mục mà người bệnh đang ẩn thì không in ra."


class Gathered(Struct, frozen=True):
    """What the book is made of, read in one transaction. beside: sections that are no part of the record."""

    summary: Summary
    rows: list[BookRow]
    copies: Copies = NO_COPIES
    beside: list[Block] = []


class GatheredSheet(Struct, frozen=True):
    """What the doctor's page is made of, read in one transaction."""

    summary: Summary
    shown: list[tuple[str, str]]


async def gather_sheet(tx: Tx, access: Access, built: Built, now: datetime) -> GatheredSheet:
    """built: the summary of the same Access. Where it was cut, the rows behind the cut may be repetitions of
    those before it: they are read too, one statement for each such section."""
    summary, shown = msgspec.json.decode(built.body, type=Summary), list(built.shown)
    sections = []
    for section in summary.sections:
        if not section.more or section.key not in _LONG:
            sections.append(section)
            continue
        rows = await queries.REPEATED_ROWS.all(tx, *scope_of(access, now), section.key)
        more, rows = len(rows) > REPEATED_ROWS_MAX, rows[:REPEATED_ROWS_MAX]
        copies = await copies_of(tx, access, rows, now)
        items = [_book_item(row, copies) for row in rows]
        sections.append(msgspec.structs.replace(section, items=items, more=more))
        shown = merged([*shown, *((row.rtype, row.id) for row in rows)], copies)
    return GatheredSheet(msgspec.structs.replace(summary, sections=sections), list(dict.fromkeys(shown)))


async def gather_book(tx: Tx, access: Access, built: Built, now: datetime) -> Gathered:
    """built: the summary of the same Access, for who it is about and where it comes from."""
    rows = await queries.BOOK_ROWS.all(tx, *scope_of(access, now))
    copies = await copies_of(tx, access, rows, now)
    return Gathered(msgspec.json.decode(built.body, type=Summary), rows, copies)


def build_book(gathered: Gathered, now: datetime) -> Built:
    """The person's whole book. Blocks for as long as the pages take."""
    rows = gathered.rows[:BOOK_LINES_MAX]
    more = len(gathered.rows) > BOOK_LINES_MAX
    by_section: dict[str, list[Item]] = {key: [] for key in _BOOK}
    for row in rows:
        if row.section in by_section:
            by_section[row.section].append(_book_item(row, gathered.copies))
    blocks = [
        Block(
            key=key,
            title=title,
            lines=_folded(by_section[key], _REPEATED.get(key), is_cut=more),
            empty=NO_INFORMATION,
        )
        for key, title in _BOOK.items()
        if by_section[key] or key in _ALWAYS
    ]
    cut = [f"Chỉ in {BOOK_LINES_MAX} mục mới nhất; bản xuất FHIR có đủ."] if more else []
    paper = Paper(
        title="Sổ sức khỏe điện tử",
        name=gathered.summary.person.name or "Chưa rõ tên",
        facts=_facts(gathered.summary.person),
        blocks=[*blocks, *gathered.beside],
        notices=[SHARING_CAUTION, HIDDEN_LEFT_OUT, *cut, *_sources(gathered.summary)],
        printed=_printed(now),
    )
    shown = [(row.rtype, row.id) for row in rows if row.section in by_section]
    return Built(book(paper, now), merged(shown, gathered.copies))


def build_sheet(summary: Summary, shown: list[tuple[str, str]], now: datetime) -> Built:
    """The doctor's page, in the order of the first screen."""
    notice = [summary.notice.vi] if summary.notice else []
    paper = Paper(
        title="Tóm tắt sổ sức khỏe điện tử",
        name=summary.person.name or "Chưa rõ tên",
        facts=_facts(summary.person),
        blocks=[_block(section) for section in summary.sections],
        notices=[
            *notice,
            *_sources(summary),
            "Chỉ dùng cho lần khám này; không thay cho hồ sơ gốc của cơ sở.",
        ],
        printed=_printed(now),
    )
    return Built(sheet(paper, now), shown)


def _block(section: SummarySection) -> Block:
    return Block(
        key=section.key,
        title=f"{section.title_vi} (còn nữa trong sổ)" if section.more else section.title_vi,
        lines=_lines(section),
        empty=section.state_vi or NO_INFORMATION,
    )


def _lines(section: SummarySection) -> list[Line]:
    return _folded(section.items, _REPEATED.get(section.key), is_cut=section.more)


def _folded(items: list[Item], word: str | None, *, is_cut: bool) -> list[Line]:
    """One line per item. Where a word is given, the same thing in the same dose and words stands once, with
    how often it was written: visits repeat diagnoses, prescriptions and plans. Of a list that was cut nobody
    knows how often, nor since when."""
    if word is None:
        return [_line(item) for item in items]
    same: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        if item.category == APPOINTMENT:
            # Each day to come back is a day of its own.
            same[item.id,] = [item]
            continue
        told = (item.title, _doubt(item), item.text or "", *item.dosage, *item.lines)
        same.setdefault(told, []).append(item)
    return [_line(found[0]) if is_cut else _times(found, word) for found in same.values()]


def _doubt(item: Item) -> str:
    """What keeps equal items apart: a disputed one never stands for one that nobody disputes, nor a declared
    one for what a facility sent."""
    return f"{item.disputed} {item.not_yet_released} {declared_text(item)}"


def _times(found: list[Item], word: str) -> Line:
    """The newest of equal items, and since when there were others."""
    line = _line(found[0])
    if len(found) == 1:
        return line
    since = day_text(found[-1].date)
    told = f"{len(found)} lần {word}" + (f" từ {since}" if since else "")
    return msgspec.structs.replace(line, detail="; ".join(part for part in (line.detail, told) if part))


def _book_item(row: BookRow, copies: Copies) -> Item:
    text = "; ".join(line for line in (row.body or "").splitlines() if line.strip())
    item = faced(row, copies, main_diagnosis=row.main_title, text=text or None)
    return msgspec.json.decode(msgspec.json.encode(item), type=Item)


def _line(item: Item) -> Line:
    return Line(
        title=title_text(item),
        detail=detail_text(item),
        when=day_text(item.date, with_time=item.category == APPOINTMENT),
        where=item.facility_name or "",
        mark=_mark(item),
    )


def _mark(item: Item) -> Mark:
    flags = [item.flag, *(part.flag for part in item.parts)]
    return next((_MARKS[flag] for flag in flags if flag in _MARKS), "")


def _facts(person: Person) -> list[str]:
    born = f"sinh {day_text(person.birth_date)}" if person.birth_date else "ngày sinh chưa rõ"
    age = f" ({person.age_years} tuổi)" if person.age_years is not None else ""
    return [_SEXES[person.sex], born + age, *_blood_groups(person.blood_groups)]


def _blood_groups(items: list[Item]) -> list[str]:
    """Each told group once; where they differ, with who told it (security.md S17)."""
    items = [item for item in items if item.value and not item.hidden]
    said = [f"{i.title}: {i.value} ({declared_text(i)})" for i in items if i.self_declared]
    told = {f"{i.title}: {i.value}": i.facility_name for i in items if not i.self_declared}
    if len({item.title for item in items if not item.self_declared}) == len(told):
        return [*told, *said]
    return [*(f"{group} (theo {name})" if name else group for group, name in told.items()), *said]


def _sources(summary: Summary) -> list[str]:
    """Where it comes from, and which other record system could know more."""
    behind = [one.notice_vi for one in summary.cores if one.notice_vi]
    if not summary.sources:
        return behind
    named = [f"{one.name} ({one.as_of.astimezone(VIETNAM):%d/%m/%Y})" for one in summary.sources]
    return [f"Nguồn và ngày cập nhật: {', '.join(named)}.", *behind]


def _printed(now: datetime) -> str:
    return f"Lập lúc {now.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}"
