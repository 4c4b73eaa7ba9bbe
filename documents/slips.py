"""One-time codes to hand out on paper: eight slips on a page of A4, to be cut apart (documents/pdf.py)."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from documents.pdf import compile_paper
from documents.plain import plain

PER_PAGE: Final = 8
# A document of forty pages; whoever has more makes several.
SLIPS_MAX: Final = 40 * PER_PAGE
# What a slip has room for.
DETAILS_MAX: Final = 3
STEPS_MAX: Final = 3


class Slip(Struct, frozen=True, kw_only=True):
    """For whom, what else is known of it (label and value), and the code in groups as it is typed; code_svg:
    the same as a picture that qr/draw.py made, or empty."""

    name: str
    details: list[tuple[str, str]]
    code: str
    code_svg: str = ""


class SlipSheet(Struct, frozen=True, kw_only=True):
    """title: what the codes are for; steps: what to do with one; warning: who must not see it."""

    title: str
    steps: list[str]
    warning: str
    printed: str
    slips: list[Slip]


def slips(sheet: SlipSheet, at: datetime) -> bytes:
    """As many pages as it takes; no slip is left out or lies on two pages. Raises ValueError above SLIPS_MAX.
    Blocks for a second or less: call it in a thread."""
    if len(sheet.slips) > SLIPS_MAX:
        raise ValueError(f"{len(sheet.slips)} slips are more than a document holds")
    made = msgspec.structs.replace(
        sheet,
        title=plain(sheet.title, 60),
        steps=[plain(step, 120) for step in sheet.steps[:STEPS_MAX]],
        warning=plain(sheet.warning, 120),
        printed=plain(sheet.printed, 60),
        slips=[_plain(slip) for slip in sheet.slips],
    )
    return compile_paper("slips.typ", msgspec.json.encode(made).decode(), at)


def _plain(slip: Slip) -> Slip:
    return Slip(
        name=plain(slip.name, 90),
        details=[(plain(label, 30), plain(value, 60)) for label, value in slip.details[:DETAILS_MAX]],
        code=plain(slip.code, 40),
        code_svg=slip.code_svg,
    )
