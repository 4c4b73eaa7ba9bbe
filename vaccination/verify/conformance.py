"""The official vectors (dgc-testdata): what each expects of each step, against what our steps make of it."""

import base64
import fnmatch
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from qr import base45
from qr.reading import PictureError, read_codes
from vaccination.hc1 import cbor, cose
from vaccination.hc1.claims import HCERT
from vaccination.trust.certificates import Certificate, CertificateError, read_certificate
from vaccination.verify import dcc_schema
from vaccination.verify.hc1 import content_of, read_claims
from vaccination.verify.judging import Known, judge, may_sign
from vaccination.verify.models import StepName, Verdict
from vaccination.verify.reading import Reading

Vector = Mapping[str, Any]


class Row(Struct, frozen=True):
    """One expectation of one vector. why: what exempts it."""

    path: str
    check: str
    expected: bool
    found: bool
    why: str | None = None

    @property
    def is_matched(self) -> bool:
        return self.expected == self.found


class Count(Struct, frozen=True, kw_only=True):
    """Of one check: how many vectors expect something, how many found it so, how many others are exempt."""

    expected: int
    matched: int
    exempt: int


class Report(Struct, frozen=True, kw_only=True):
    """is_conformant: every difference is exempt, and there was something to compare. differences: all."""

    is_conformant: bool
    files: int
    unreadable: tuple[str, ...]
    checks: dict[str, Count]
    differences: tuple[Row, ...]


class _Exempt(Struct, frozen=True):
    path: str
    checks: tuple[str, ...]
    why: str


def conformance(directory: Path, told: Callable[[], None] = lambda: None) -> Report:
    """Compare every vector below a directory. told: called after each file."""
    rows: list[Row] = []
    unreadable: list[str] = []
    count = 0
    exempt = _exempt_rows()
    for path in sorted(directory.rglob("*.json")):
        try:
            vector = json.loads(path.read_text("utf-8-sig"))
        except ValueError:
            unreadable.append(path.relative_to(directory).as_posix())
            continue
        if isinstance(vector, dict) and isinstance(vector.get("EXPECTEDRESULTS"), dict):
            count += 1
            rows += _rows(path.relative_to(directory).as_posix(), vector, exempt)
        told()
    return _report(count, rows, unreadable)


def _report(count: int, rows: list[Row], unreadable: list[str]) -> Report:
    expected = Counter(row.check for row in rows)
    matched = Counter(row.check for row in rows if row.is_matched)
    exempt = Counter(row.check for row in rows if not row.is_matched and row.why is not None)
    return Report(
        is_conformant=bool(rows) and not unreadable and all(row.is_matched or row.why for row in rows),
        files=count,
        unreadable=tuple(unreadable),
        checks={
            check: Count(expected=expected[check], matched=matched[check], exempt=exempt[check])
            for check in CHECKS
            if expected[check]
        },
        differences=tuple(row for row in rows if not row.is_matched),
    )


def _rows(path: str, vector: Vector, exempt: list[_Exempt]) -> Iterator[Row]:
    for check, (field, run) in CHECKS.items():
        expected = vector["EXPECTEDRESULTS"].get(check)
        if not isinstance(expected, bool) or not vector.get(field):
            continue
        why = next(
            (one.why for one in exempt if check in one.checks and fnmatch.fnmatch(path, one.path)), None
        )
        yield Row(path, check, expected, _attempt(run, vector), why)


def _attempt(run: Callable[[Vector], bool], vector: Vector) -> bool:
    """A step that cannot be taken has not succeeded."""
    try:
        return run(vector)
    except (cose.UnreadableError, cbor.CborError, CertificateError, PictureError, LookupError, ValueError):
        return False


def _picture(vector: Vector) -> bool:
    return read_codes(base64.b64decode(vector["2DCODE"])) == [vector["PREFIX"]]


def _unprefix(vector: Vector) -> bool:
    text: str = vector["PREFIX"]
    return text.startswith(cose.PREFIX) and text[len(cose.PREFIX) :] == vector["BASE45"]


def _base45(vector: Vector) -> bool:
    packed = base45.decode(vector["BASE45"])
    return "COMPRESSED" not in vector or packed == bytes.fromhex(vector["COMPRESSED"])


def _compression(vector: Vector) -> bool:
    return cose.inflate(bytes.fromhex(vector["COMPRESSED"])) == bytes.fromhex(vector["COSE"])


def _key_and_reading(vector: Vector) -> tuple[Certificate, Reading]:
    certificate = read_certificate(base64.b64decode(vector["TESTCTX"]["CERTIFICATE"]))
    return certificate, read_claims(cose.open_cose(bytes.fromhex(vector["COSE"])))


def _key_usage(vector: Vector) -> bool:
    """Asked of vectors too whose signature is another's."""
    certificate, reading = _key_and_reading(vector)
    return reading.is_whole and may_sign(certificate.trusted(), reading)


def _verdict(vector: Vector) -> Verdict:
    certificate, reading = _key_and_reading(vector)
    clock = vector["TESTCTX"].get("VALIDATIONCLOCK")
    # A vector without a clock is asked nothing that depends on it.
    now = certificate.not_before if clock is None else _clock(clock)
    return judge(reading, Known(keys=(certificate.trusted(),)), now)


def _clock(text: str) -> datetime:
    """Without a zone: UTC, as the vectors of the Netherlands mean it."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _passes(step: StepName) -> Callable[[Vector], bool]:
    return lambda vector: any(
        one.name == step and one.outcome in ("passed", "warned") for one in _verdict(vector).steps
    )


def _payload(vector: Vector) -> Any:
    return content_of(cbor.decode(cose.open_cose(bytes.fromhex(vector["COSE"])).payload))


def _decode(vector: Vector) -> bool:
    return bool(_payload(vector) == vector["JSON"])


def _json(vector: Vector) -> bool:
    """The CBOR of a vector is the claims, or the content alone."""
    read = cbor.decode(bytes.fromhex(vector["CBOR"]))
    return bool((content_of(read) if HCERT in read else read) == vector["JSON"])


def _schema(vector: Vector) -> bool:
    return not dcc_schema.faults(_payload(vector) if "COSE" in vector else vector["JSON"])


# By check: the field it starts from, and what takes the step. Without the field there is nothing to compare.
CHECKS: Final[dict[str, tuple[str, Callable[[Vector], bool]]]] = {
    "EXPECTEDPICTUREDECODE": ("2DCODE", _picture),
    "EXPECTEDUNPREFIX": ("PREFIX", _unprefix),
    "EXPECTEDB45DECODE": ("BASE45", _base45),
    "EXPECTEDCOMPRESSION": ("COMPRESSED", _compression),
    "EXPECTEDVERIFY": ("COSE", _passes("signature")),
    "EXPECTEDEXPIRATIONCHECK": ("COSE", _passes("validity")),
    "EXPECTEDKEYUSAGE": ("COSE", _key_usage),
    "EXPECTEDDECODE": ("COSE", _decode),
    "EXPECTEDVALIDJSON": ("CBOR", _json),
    "EXPECTEDSCHEMAVALIDATION": ("JSON", _schema),
}


def _exempt_rows() -> list[_Exempt]:
    read = json.loads(files("vaccination.verify").joinpath("conformance_exempt.json").read_bytes())
    return [_Exempt(one["path"], tuple(one["checks"]), one["why"]) for one in read["exempt"]]
