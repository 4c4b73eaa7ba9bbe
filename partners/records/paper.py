"""One encounter on paper (QĐ 31/QĐ-BYT 2026 asks for a PDF of each), from what a record lets out."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from documents.pdf import Block, Line, Mark, Paper, book
from ehr.exports.lines import day_text
from ehr.models import Range
from ehr.reads.scope import is_id
from identity.models import Demographics
from identity.people import person_of
from kernel.access import Access, PartnerGroup
from kernel.clock import VIETNAM
from partners.records.models import (
    Coded,
    Diagnosis,
    Imaging,
    Medicine,
    ProcedureDone,
    TestResult,
    Visit,
    VisitSummary,
)
from partners.records.visits import read_one, told
from store.database import Tx
from store.keys import KeyRing

# What fills a paper.
OF_PAPER: Final[tuple[PartnerGroup, ...]] = ("encounters", "summary")
MEDIA_TYPE: Final = "application/pdf"
NAMELESS: Final = "Bản không kèm thông tin hành chính"
NOTICES: Final = (
    "Bản in từ sổ sức khỏe điện tử theo dữ liệu cơ sở khám, chữa bệnh đã gửi;"
    " không thay cho hồ sơ gốc của cơ sở.",
    "Thông tin có thể chưa đầy đủ theo lựa chọn của người bệnh.",
)
_NOTHING: Final = "Chưa có thông tin."
_SEXES: Final = {"male": "Nam", "female": "Nữ"}
_MARKS: Final[dict[str, Mark]] = {
    "low": "low",
    "high": "high",
    "abnormal": "alert",
    "critical": "alert",
    "critical-low": "low",
    "critical-high": "high",
}


class Gathered(Struct, frozen=True):
    """What the paper is made of, read in one transaction. person: None where it is not to be named."""

    person: Demographics | None
    visit: Visit
    summary: VisitSummary
    groups: frozenset[PartnerGroup]
    shown: list[tuple[str, str]]


async def gather(
    tx: Tx, keys: KeyRing, access: Access, encounter_id: str, groups: frozenset[PartnerGroup], now: datetime
) -> Gathered | None:
    """groups: administrative names the person, encounters and summary fill the paper. None: there is no such
    encounter for this Access."""
    wanted: list[PartnerGroup] = [group for group in OF_PAPER if group in groups]
    found = await read_one(tx, access, encounter_id, wanted, now) if is_id(encounter_id) else None
    if found is None:
        return None
    visit, summary = told(found)
    person = await person_of(tx, keys, access) if "administrative" in groups else None
    return Gathered(person, visit, summary, groups, found.shown)


def build(gathered: Gathered, now: datetime) -> bytes:
    """The PDF. Blocks for as long as the pages take: call it in a thread."""
    visit, summary = gathered.visit, gathered.summary
    blocks = [_visit_block(visit)]
    if "encounters" in gathered.groups:
        blocks += _of_visit(visit)
    if "summary" in gathered.groups:
        blocks += _of_summary(summary, with_medicines="encounters" not in gathered.groups)
    person = gathered.person
    paper = Paper(
        title="Lượt khám bệnh, chữa bệnh",
        name=(person.name or "Chưa rõ tên") if person else NAMELESS,
        facts=_facts(person) if person else [],
        blocks=blocks,
        notices=list(NOTICES),
        printed=f"Lập lúc {now.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}",
    )
    return book(paper, now)


def _facts(person: Demographics) -> list[str]:
    born = f"sinh {day_text(person.birth_date)}" if person.birth_date else ""
    return [text for text in (_SEXES.get(person.sex or "", ""), born) if text]


def _visit_block(visit: Visit) -> Block:
    until = f" đến {day_text(visit.end)}" if visit.end else ""
    lines = [
        Line(
            title=visit.facility or "Cơ sở chưa rõ",
            when=day_text(visit.start),
            detail=f"Thời gian: {day_text(visit.start)}{until}",
        ),
        *_said("Hình thức", _text(visit.form_of_care)),
        *_said("Lý do", "; ".join(visit.reasons)),
    ]
    return Block(key="visit", title="Lượt khám", lines=lines)


def _of_visit(visit: Visit) -> list[Block]:
    """Group (c)."""
    ended = [
        *_said("Tình trạng ra viện", _text(visit.discharge_status)),
        *_said("Kết quả điều trị", _text(visit.result)),
        *_said("Nhóm máu", visit.blood_group),
        *_said("Chiều cao", visit.height_cm and f"{visit.height_cm} cm"),
        *_said("Cân nặng", visit.weight_kg and f"{visit.weight_kg} kg"),
    ]
    diseases = [
        Line(title=_name(one), detail="bệnh chính" if one.main else "", where=one.code or "")
        for one in visit.diagnoses
    ]
    imaging = [
        Line(title=_name(one), detail="; ".join(one.lines), when=day_text(one.date)) for one in visit.imaging
    ]
    done = [Line(title=_name(one), when=day_text(one.date)) for one in visit.procedures]
    blocks = [
        Block(key="problems", title="Chẩn đoán", lines=diseases, empty=_NOTHING),
        Block(key="ended", title="Kết quả lượt khám", lines=ended),
        Block(key="results", title="Xét nghiệm", lines=[_result(one) for one in visit.results]),
        Block(key="imaging", title="Chẩn đoán hình ảnh", lines=imaging),
        Block(key="medications", title="Thuốc", lines=[_medicine(one) for one in visit.medicines]),
        Block(key="procedures", title="Thủ thuật, phẫu thuật", lines=done),
    ]
    return [block for block in blocks if block.lines or block.empty]


def _of_summary(summary: VisitSummary, *, with_medicines: bool) -> list[Block]:
    """Group (d); the prescription once."""
    said = [
        *_said("Quá trình bệnh lý", summary.course),
        *_said("Tóm tắt kết quả", summary.results),
        *_said("Phương pháp điều trị", "\n".join(summary.treatment)),
        *_said("Hướng điều trị tiếp", summary.onward_plan),
        *_said("Lời dặn", "\n".join(summary.advice)),
        *_said("Hẹn khám lại", ", ".join(day_text(day, with_time=True) for day in summary.revisits)),
        *_said("Bác sĩ điều trị", ", ".join(summary.doctors)),
    ]
    medicines = [_medicine(one) for one in summary.prescription] if with_medicines else []
    blocks = [Block(key="summary", title="Tóm tắt", lines=said, empty=_NOTHING)]
    if medicines:
        blocks.append(Block(key="prescription", title="Đơn thuốc", lines=medicines))
    return blocks


def _said(label: str, value: str | None) -> list[Line]:
    return [Line(title=label, detail=value)] if value else []


def _text(one: Coded | None) -> str:
    return (one.text or one.code or "") if one else ""


def _name(one: Diagnosis | Imaging | ProcedureDone | Medicine | TestResult) -> str:
    return one.title or one.code or ""


def _medicine(one: Medicine) -> Line:
    return Line(title=_name(one), detail="; ".join(one.dosage), when=day_text(one.date))


def _result(one: TestResult) -> Line:
    parts = [f"{part.title}: {_value(part.value, part.unit, part.range)}" for part in one.parts]
    told_of = [_value(one.value, one.unit, one.range), *parts, one.text or ""]
    detail = "; ".join(text for text in told_of if text)
    return Line(title=_name(one), detail=detail, when=day_text(one.date), mark=_MARKS.get(one.flag or "", ""))


def _value(value: str | None, unit: str | None, bounds: Range | None) -> str:
    if value is None:
        return ""
    said = f"{value} {unit}" if unit else value
    between = _between(bounds) if bounds else None
    return f"{said} (tham chiếu {between})" if between else said


def _between(bounds: Range) -> str | None:
    """The reference range that was valid at a result."""
    if bounds.text:
        return bounds.text
    if bounds.low and bounds.high:
        return f"{bounds.low}-{bounds.high}"
    return f">= {bounds.low}" if bounds.low else f"<= {bounds.high}" if bounds.high else None
