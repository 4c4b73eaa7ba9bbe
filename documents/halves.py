"""Two papers on a page of A4, one for each of two people, to be cut apart and read without glasses."""

from datetime import datetime

import msgspec
from msgspec import Struct

from documents.pdf import compile_paper
from documents.plain import plain

DETAILS_MAX = 4
STEPS_MAX = 4


class Half(Struct, frozen=True, kw_only=True):
    """Whose paper, what it says (label and value), what to do with it, and a warning or nothing. code: in
    groups as it is typed, or nothing; code_svg: the same as a picture that qr/draw.py made."""

    name: str
    details: list[tuple[str, str]]
    steps: list[str]
    warning: str = ""
    code: str = ""
    code_svg: str = ""


class Halves(Struct, frozen=True, kw_only=True):
    title: str
    printed: str
    upper: Half
    lower: Half


def halves(paper: Halves, at: datetime) -> bytes:
    """One page, its letters 15 points and more, the title 13. Blocks up to a second: call it in a thread."""
    made = msgspec.structs.replace(
        paper,
        title=plain(paper.title, 60),
        printed=plain(paper.printed, 60),
        upper=_plain(paper.upper),
        lower=_plain(paper.lower),
    )
    return compile_paper("halves.typ", msgspec.json.encode(made).decode(), at)


def _plain(half: Half) -> Half:
    return Half(
        name=plain(half.name, 90),
        details=[(plain(label, 30), plain(value, 90)) for label, value in half.details[:DETAILS_MAX]],
        steps=[plain(step, 140) for step in half.steps[:STEPS_MAX]],
        warning=plain(half.warning, 140),
        code=plain(half.code, 40),
        code_svg=half.code_svg,
    )
