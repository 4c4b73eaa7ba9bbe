"""E-prescriptions in a file: one, or a list; each bare or with the code that it replaces beside it."""

import re
from collections.abc import Generator
from datetime import datetime
from typing import Final

import msgspec

from ehr.intake.json_text import read_object
from ehr.intake.models import BadInputError, BadUnit, Unit, reject
from ehr.prescriptions.national import NationalPrescription, SentPrescription, unit_of

FILE_MAX: Final = 1_000
BYTES_MAX: Final = 16 * 1024 * 1024
# Members by which one, or the first of a list, is told from other JSON in its first bytes; an envelope names
# itself first.
_NATIONAL: Final = re.compile(
    rb'(?:\[\s*)?\{\s*"(?:prescription|replaces|loai_don_thuoc|ma_don_thuoc|ho_ten_benh_nhan|ma_dinh_danh_y_te'
    rb'|ma_dinh_danh_cong_dan|ngay_sinh_benh_nhan|don_thuoc)"\s*:'
)
_PLACE: Final = re.compile(r"`\$\.?([^`]*)`")


def looks_national(head: bytes) -> bool:
    """Whether the first bytes of a file are those of e-prescriptions."""
    return _NATIONAL.match(head) is not None


def read_prescriptions(data: bytes, name: str, now: datetime) -> Generator[Unit | BadUnit, None, None]:
    """The units of a file, each refused by itself. Raises BadInputError where the file is no such JSON."""
    if len(data) > BYTES_MAX:
        raise reject("too-large", name)
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not text.startswith(b"["):
        yield _read(text, name, now)
        return
    try:
        listed = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        raise reject("bad-json", name) from None
    if len(listed) > FILE_MAX:
        raise reject("too-large", name)
    for number, raw in enumerate(listed):
        yield _read(bytes(raw), f"{name}[{number}]", now)


def read_sent(raw: bytes, name: str) -> SentPrescription:
    """One prescription, bare or in its envelope. Raises BadInputError with the place of a member of a wrong
    type."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise reject("bad-encoding", name) from None
    _, value = read_object(raw, name)
    try:
        if "prescription" in value:
            return msgspec.convert(value, SentPrescription)
        return SentPrescription(prescription=msgspec.convert(value, NationalPrescription))
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise reject("bad-type", place.group(1) if place else name) from None


def _read(raw: bytes, name: str, now: datetime) -> Unit | BadUnit:
    try:
        return unit_of(read_sent(raw, name), name, now)
    except BadInputError as error:
        return BadUnit(name, error.reasons)
