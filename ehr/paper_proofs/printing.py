"""A paper as it is printed: what its facility wrote, line by line, and the code that proves it."""

from datetime import datetime
from typing import Final

from documents.pdf import Block, Line, Proven, proven
from ehr.exports.lines import day_text
from ehr.paper_proofs.facts import LETTERS
from ehr.paper_proofs.models import Facts
from ehr.paper_proofs.service import ToPrint
from ehr.paper_proofs.texts import FOOT
from ehr.reads.models import Built
from identity.models import Demographics
from kernel.clock import VIETNAM
from qr.draw import svg

CODE_NOTE: Final = "Quét bằng máy ảnh điện thoại để kiểm tra giấy này."
_SEXES: Final = {"male": "Nam", "female": "Nữ"}


def build(paper: ToPrint, now: datetime) -> Built:
    """The PDF. Blocks for as long as the page takes."""
    facts = paper.facts
    made = Proven(
        title=facts.title,
        name=paper.known.name or "Chưa rõ tên",
        facts=_about(paper.known),
        issuer=paper.issued_by or "",
        details=[*_details(facts), *paper.details],
        blocks=[Block(key="text", title="", lines=[_line(text) for text in facts.lines])],
        notices=[FOOT],
        printed=f"In từ sổ lúc {now.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}",
        code_svg=svg(paper.link),
        code_note=CODE_NOTE,
    )
    return Built(proven(made, now), [paper.row])


def _about(known: Demographics) -> list[str]:
    born = day_text(known.birth_date)
    told = (_SEXES.get(known.sex or ""), f"sinh {born}" if born else None)
    return [text for text in told if text]


def _details(facts: Facts) -> list[tuple[str, str]]:
    rows = (
        ("Số", ", ".join(facts.numbers)),
        ("Ngày", day_text(facts.date)),
        *_period(facts),
        ("Có giá trị đến", "" if facts.period_end else day_text(facts.valid_until)),
        ("Người ký", facts.author or ""),
    )
    return [(label, value) for label, value in rows if value]


def _period(facts: Facts) -> list[tuple[str, str]]:
    """Of a letter it is the visit that gave it: "from" and "until" would read as how long it counts."""
    start, end = day_text(facts.period_start), day_text(facts.period_end)
    if facts.kind not in LETTERS:
        return [("Từ ngày", start), ("Đến ngày", end)]
    return [("Đợt khám", " – ".join(dict.fromkeys(day for day in (start, end) if day)))]


def _line(text: str) -> Line:
    label, colon, value = text.partition(": ")
    return Line(title=label, detail=value) if colon else Line(title="", detail=text)
