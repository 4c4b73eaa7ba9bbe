"""Reading a file without the database: what format it is, and its units one by one."""

import gzip
import io
import zlib
from collections.abc import Generator
from datetime import datetime
from typing import IO

from msgspec import Struct

from ehr.intake.cda import read_document
from ehr.intake.fhir_bundle import BUNDLE_BYTES_MAX, read_bundle
from ehr.intake.gate import judge_plain
from ehr.intake.models import BadInputError, BadUnit, Unit, reject
from ehr.intake.phr831 import read_forms
from ehr.intake.safe_xml import root_name
from ehr.intake.signature import Signed, look
from ehr.intake.survey import Survey
from ehr.intake.treatment_xml import read_package
from ehr.prescriptions.files import looks_national, read_prescriptions

_GZIP = b"\x1f\x8b"
# By root element; whatever else is read as a treatment package, which names what is wrong with it.
_XML_READERS = {"DATA": read_forms, "ClinicalDocument": read_document}


class ReadUnit(Struct):
    """A unit as read, with the survey of its items where the reader made one."""

    unit: Unit
    surveys: list[Survey] | None = None
    not_kept: dict[str, int] = {}
    signed: Signed | None = None


def read_units(stream: IO[bytes], name: str, now: datetime) -> Generator[ReadUnit | BadUnit, None, None]:
    """The units of a file by its content: a Bundle (plain or gzip), e-prescriptions, or XML by its root.

    The name of a file can tell what its content may not: a name the gate stops is replaced.
    """
    shown = name if judge_plain(name) == "keep" else "file"
    try:
        head = _peek(stream)
        if head.startswith(_GZIP):
            stream = io.BytesIO(_unzip(stream))
            head = _peek(stream)
        if head.startswith(b"<"):
            signed = look(stream)
            reader = _XML_READERS.get(root_name(signed.stream), read_package)
            for unit in reader(signed.stream, shown, now):
                yield unit if isinstance(unit, BadUnit) else ReadUnit(unit, signed=signed)
        elif looks_national(head):
            for unit in read_prescriptions(stream.read(BUNDLE_BYTES_MAX + 1), shown, now):
                yield unit if isinstance(unit, BadUnit) else ReadUnit(unit)
        elif head.startswith(b"{"):
            parsed = read_bundle(stream.read(BUNDLE_BYTES_MAX + 1), shown)
            yield ReadUnit(parsed.unit, parsed.surveys, parsed.not_kept)
        else:
            raise reject("unknown-format", shown)
    except BadInputError as error:
        yield BadUnit(shown, error.reasons)


def _peek(stream: IO[bytes]) -> bytes:
    head = stream.read(512)
    stream.seek(0)
    return head if head.startswith(_GZIP) else head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _unzip(stream: IO[bytes]) -> bytes:
    """At most BUNDLE_BYTES_MAX bytes come out of a gzip, however much it promises (zip bombs)."""
    try:
        with gzip.GzipFile(fileobj=stream) as unzipped:
            data = unzipped.read(BUNDLE_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error):
        raise reject("bad-gzip", "file") from None
    if len(data) > BUNDLE_BYTES_MAX:
        raise reject("too-large", "file")
    return data
