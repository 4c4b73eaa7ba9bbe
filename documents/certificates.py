"""The vaccination certificate on A4, set by typst as every paper is (documents/pdf.py)."""

from datetime import datetime

import msgspec
from msgspec import Struct

from documents.pdf import compile_paper
from documents.plain import plain


class Field(Struct, frozen=True, kw_only=True):
    """One line: what it is in both languages, and what it says; latin: the same in Latin letters."""

    vi: str
    en: str
    value: str
    latin: str = ""


class Certificate(Struct, frozen=True, kw_only=True):
    """code_svg: a picture that qr/certificates.py made, never anything from a record."""

    fields: list[Field]
    code_svg: str
    expires_on: str
    printed: str


def certificate(paper: Certificate, at: datetime) -> bytes:
    """One page. Blocks for a second or less: call it in a thread."""
    fields = [
        Field(
            vi=plain(one.vi, 60),
            en=plain(one.en, 60),
            value=plain(one.value, 160),
            latin=plain(one.latin, 160),
        )
        for one in paper.fields
    ]
    made = msgspec.structs.replace(paper, fields=fields, printed=plain(paper.printed))
    return compile_paper("certificate.typ", msgspec.json.encode(made).decode(), at)
