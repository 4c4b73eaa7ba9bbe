"""What stands on a paper, read from the stored text of its row, and the digest over it."""

import base64
import binascii
import hashlib
from typing import Final, get_args

import msgspec
import rfc8785
from msgspec import Struct

from ehr.paper_proofs.certificates import certificate_of
from ehr.paper_proofs.models import Facts, PaperKind

KINDS: Final[tuple[PaperKind, ...]] = get_args(PaperKind)
# Listed and printed as letters, with how far they are (ehr/letters).
LETTERS: Final[frozenset[PaperKind]] = frozenset({"referral", "revisit"})
# Of what is sent as a document; a health check is called after its kind.
TITLES: Final[dict[PaperKind, str]] = {
    "discharge": "Giấy ra viện",
    "summary": "Tóm tắt hồ sơ bệnh án",
    "birth": "Giấy chứng sinh",
    "antenatal-leave": "Giấy chứng nhận nghỉ dưỡng thai",
    "sick-leave": "Giấy chứng nhận nghỉ việc hưởng bảo hiểm xã hội",
    # As NĐ 188/2025 and TT 01/2025 call them (vietnam.md §4).
    "referral": "Phiếu chuyển cơ sở khám bệnh, chữa bệnh",
    "revisit": "Phiếu hẹn khám lại",
}
# Papers that end with the last day they are about; the others have no end.
_ENDING: Final = frozenset({"antenatal-leave", "sick-leave"})
# Half of a SHA-256: enough against a second paper of the same digest, and half the modules of a code.
DIGEST_BYTES: Final = 16


class _Identifier(Struct):
    value: str = ""


class _Author(Struct):
    display: str = ""


class _Attachment(Struct):
    data: str = ""


class _Content(Struct):
    attachment: _Attachment


class _Period(Struct):
    start: str | None = None
    end: str | None = None


class _Context(Struct):
    period: _Period | None = None


class _Letter(Struct):
    """The parts of a DocumentReference that are printed."""

    identifier: list[_Identifier] = []
    date: str | None = None
    author: list[_Author] = []
    content: list[_Content] = []
    context: _Context | None = None


_decode = msgspec.json.Decoder(_Letter).decode


def facts_of(kind: PaperKind, doc: str, facility_id: str | None) -> Facts | None:
    """What is printed of a stored paper; None for a form that is no health check."""
    if kind == "health-check":
        return certificate_of(doc, facility_id)
    letter = _decode(doc)
    period = (letter.context.period if letter.context else None) or _Period()
    return Facts(
        kind=kind,
        title=TITLES[kind],
        numbers=[one.value for one in letter.identifier if one.value],
        date=letter.date,
        period_start=period.start,
        period_end=period.end,
        valid_until=period.end if kind in _ENDING else None,
        author=next((one.display for one in letter.author if one.display), None),
        lines=_lines(letter),
        facility_id=facility_id,
    )


def digest_of(facts: Facts) -> bytes:
    """Over everything printed, in one spelling (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(facts))).digest()[:DIGEST_BYTES]


def _lines(letter: _Letter) -> list[str]:
    lines: list[str] = []
    for one in letter.content:
        try:
            text = base64.b64decode(one.attachment.data, validate=True).decode()
        except (binascii.Error, ValueError):
            continue
        lines += [line for line in text.splitlines() if line.strip()]
    return lines
