"""The poster of a counter on A4, set by typst as every paper is (documents/pdf.py)."""

from datetime import datetime

import msgspec
from msgspec import Struct

from documents.pdf import compile_paper
from documents.plain import plain


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do, in both languages."""

    vi: str
    en: str


class Poster(Struct, frozen=True, kw_only=True):
    """facility, counter, code: as they stand on the wall. code_svg: a picture that qr/screens.py made, never
    anything from a record. notes: sentences at the foot; printed: when, and until when the code counts."""

    title: Step
    facility: str
    counter: str
    code: str
    code_svg: str
    steps: list[Step]
    notes: list[Step]
    printed: str


def poster(paper: Poster, at: datetime) -> bytes:
    """One page, its code up to 140 mm wide, to be read from two metres. Blocks for a second or less: call it
    in a thread."""
    made = msgspec.structs.replace(
        paper,
        title=_plain(paper.title, 60),
        facility=plain(paper.facility, 120),
        counter=plain(paper.counter, 80),
        code=plain(paper.code, 20),
        steps=[_plain(step, 100) for step in paper.steps],
        notes=[_plain(note, 160) for note in paper.notes],
        printed=plain(paper.printed, 160),
    )
    return compile_paper("poster.typ", msgspec.json.encode(made).decode(), at)


def _plain(step: Step, longest: int) -> Step:
    return Step(vi=plain(step.vi, longest), en=plain(step.en, longest))
