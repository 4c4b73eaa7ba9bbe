"""The one writer of PDF: papers set by typst from data that is never markup (security.md S35).

The data travels as JSON in `sys.inputs`; a template shows strings and reads nothing else. No package of
typst's is used and no font of the machine's. `sheet`, `book`, `card` and `proven` block for a second or
less: call them in a thread.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from documents.plain import plain

if TYPE_CHECKING:
    from typst import Compiler

_ASSETS: Final = Path(__file__).with_name("assets")
CHARACTERS_MAX: Final = 600
# A paper stands in the book with its text.
DETAIL_CHARACTERS_MAX: Final = 3_200
# A page of the sheet holds a few dozen lines; the template takes what fits and says what it left out.
SHEET_LINES_MAX: Final = 60
SHEET_CHARACTERS_MAX: Final = 110
# What the back of a card of seven lines can hold of each.
CARD_LINES_MAX: Final = 12

# Compilers that nobody uses now: one serves one thread at a time. There are as many as were ever needed at
# once, which the slots of exports bound.
_IDLE: Final[dict[str, list["Compiler"]]] = defaultdict(list)

Mark = Literal["", "alert", "low", "high"]


class Line(Struct, frozen=True, kw_only=True):
    """One thing: what, more about it, when and where. mark: how it stands out, never by colour alone."""

    title: str
    detail: str = ""
    when: str = ""
    where: str = ""
    mark: Mark = ""


class Block(Struct, frozen=True, kw_only=True):
    """A section. empty: what stands there where no line does; left_out: lines that are not in `lines`."""

    key: str
    title: str
    lines: list[Line]
    empty: str = ""
    left_out: int = 0


class Paper(Struct, frozen=True, kw_only=True):
    """Either paper. facts: short lines about the person; notices: sentences at the foot."""

    title: str
    name: str
    facts: list[str]
    blocks: list[Block]
    notices: list[str]
    printed: str


class Card(Paper, frozen=True, kw_only=True):
    """The emergency card. code_svg: a picture that qr/draw.py made, never anything from a record."""

    code_svg: str


def sheet(paper: Paper, at: datetime) -> bytes:
    """One A4 page for a doctor. What does not fit is counted in its section, never dropped in silence."""
    blocks = [_cut(block) for block in paper.blocks]
    paper = msgspec.structs.replace(paper, blocks=blocks)
    return _set("sheet.typ", paper, SHEET_CHARACTERS_MAX, SHEET_CHARACTERS_MAX, at)


def book(paper: Paper, at: datetime) -> bytes:
    """The person's whole book, as many pages as it takes."""
    return _set("book.typ", paper, CHARACTERS_MAX, DETAIL_CHARACTERS_MAX, at)


def card(paper: Card, at: datetime) -> bytes:
    """Two pages of 85.6 × 54 mm (ISO/IEC 7810 ID-1): the code, and the lines with what is left out."""
    blocks = [_cut(block, CARD_LINES_MAX) for block in paper.blocks]
    plain_paper = _plain_paper(msgspec.structs.replace(paper, blocks=blocks), 60, 60)
    data = msgspec.to_builtins(plain_paper) | {"code_svg": paper.code_svg}
    return compile_paper("card.typ", msgspec.json.encode(data).decode(), at)


class Proven(Paper, frozen=True, kw_only=True):
    """A paper with a code. issuer: who issued it; details: label and value of what stands at its head;
    code_svg: a picture that qr/draw.py made, never anything from a record; code_note: what it is for."""

    issuer: str
    details: list[tuple[str, str]]
    code_svg: str
    code_note: str


def proven(paper: Proven, at: datetime) -> bytes:
    """One issued paper on A4, as many pages as it takes, with its code on the first."""
    data = msgspec.to_builtins(_plain_paper(paper, CHARACTERS_MAX, DETAIL_CHARACTERS_MAX)) | {
        "issuer": plain(paper.issuer, 120),
        "details": [[plain(label, 60), plain(value, 120)] for label, value in paper.details],
        "code_svg": paper.code_svg,
        "code_note": plain(paper.code_note, 200),
    }
    return compile_paper("proven.typ", msgspec.json.encode(data).decode(), at)


def _cut(block: Block, most: int = SHEET_LINES_MAX) -> Block:
    more = max(0, len(block.lines) - most)
    return msgspec.structs.replace(block, lines=block.lines[:most], left_out=block.left_out + more)


def _set(template: str, paper: Paper, characters_max: int, detail_max: int, at: datetime) -> bytes:
    data = msgspec.json.encode(_plain_paper(paper, characters_max, detail_max)).decode()
    return compile_paper(template, data, at)


def compile_paper(template: str, data: str, at: datetime) -> bytes:
    """A template with its data, JSON of plain strings."""
    idle = _IDLE[template]
    try:
        compiler = idle.pop()
    except IndexError:
        compiler = _compiler(template)
    try:
        made = compiler.compile(format="pdf", sys_inputs={"data": data}, timestamp=int(at.timestamp()))
    finally:
        idle.append(compiler)
    assert isinstance(made, bytes)
    return made


def _plain_paper(paper: Paper, characters_max: int, detail_max: int) -> Paper:
    return Paper(
        title=plain(paper.title),
        name=plain(paper.name, 80),
        facts=_plain_all(paper.facts, 120),
        blocks=[_plain_block(block, characters_max, detail_max) for block in paper.blocks],
        notices=_plain_all(paper.notices, 400),
        printed=plain(paper.printed),
    )


def _plain_block(block: Block, characters_max: int, detail_max: int) -> Block:
    lines = [
        Line(
            title=plain(line.title, characters_max),
            detail=plain(line.detail, detail_max),
            when=plain(line.when, 40),
            where=plain(line.where, 60),
            mark=line.mark,
        )
        for line in block.lines
    ]
    return Block(
        key=block.key,
        title=plain(block.title),
        lines=lines,
        empty=plain(block.empty),
        left_out=block.left_out,
    )


def _plain_all(texts: Sequence[str], characters_max: int) -> list[str]:
    return [plain(text, characters_max) for text in texts]


def _compiler(template: str) -> "Compiler":
    """Fonts and template, read once; half a second of import that only papers pay."""
    from typst import Compiler  # noqa: PLC0415

    return Compiler(
        str(_ASSETS / template), root=str(_ASSETS), font_paths=[str(_ASSETS)], ignore_system_fonts=True
    )
