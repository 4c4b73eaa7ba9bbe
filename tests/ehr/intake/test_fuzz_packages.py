"""Mutated SYNTHETIC packages of all versions: reasons with places, no crash, no hang, never half a unit.

300 files here; 20,000 with HEALTHBOOK_COUNTS=full. A file that takes longer than the alarm stops the run.
"""

import base64
import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import FrameType

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.intake.models import BadInputError, BadUnit, Reason
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.units import prepare
from tests.support import packages
from tests.support.clock import START

FULL = os.environ.get("HEALTHBOOK_COUNTS") == "full"
EXAMPLES = 10_000 if FULL else 150
# No timing assertion: a file that hangs is stopped, far beyond the two seconds a healthy one may take.
ALARM_SECONDS = 30
QUIET = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
SPLICES = [
    *(b"\x00", b"\xff", b"<", b">", b"&", b"]]>", b"<!DOCTYPE x>", b"<![CDATA[", b"&#0;", b"<a/>", b"="),
    *(
        b"<HOSO>",
        b"</HOSO>",
        b"<MACSKCB>",
        b"XML1",
        b"XML9",
        b"<!--",
        b"<?x?>",
        "ệ".encode(),
        b"\xef\xbb\xbf",
    ),
]
VALUES = [
    *("", " ", "0", "-1", "1e999", "NaN", "x" * 3000, "\u202e", "👩", "000000000000", "999999999999", "²"),
    *(
        "20260230",
        "20261301",
        "202603022560",
        "1955",
        "00000000",
        "٢٠٢٦٠٣٠٢",
        "a;b;c;;;",
        ";" * 500,
        "1,5",
        "½",
    ),
    *("B20", "[", "[" * 400, "CSST<M75_HA", "CSST<" + "_" * 190 + ">", "1 viên/lần * 9 lần/ngày * 999 ngày"),
    *("9" * 60, "1/0 viên/lần", "sáng " * 200, "e\u0301" * 100, "<x>", "&amp;lt;", "\ufeff", "HIV âm tính"),
]


@cache
def tables(version: str) -> dict[str, list[dict[str, str]]]:
    return packages.tables_of(version)


@contextmanager
def stopped_when_it_hangs() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError("the file hangs the reader")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(ALARM_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def take_in(data: bytes) -> None:
    with stopped_when_it_hangs():
        for unit in read_units(io.BytesIO(data), "noise", START):
            if isinstance(unit, BadUnit):
                assert unit.reasons
                assert all(len(reason.where) < 300 for reason in unit.reasons)
                continue
            assert isinstance(unit, ReadUnit)
            reasons: list[Reason] = []
            try:
                prepared = prepare(unit.unit, unit.surveys, "source", None)
            except BadInputError as error:
                reasons = error.reasons
            assert reasons or len(prepared.resources) == len(prepared.kept)


@st.composite
def changed(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Rows with some fields set, dropped, added or given twice, tables dropped or swapped."""
    version = draw(st.sampled_from(packages.VERSIONS))
    made = {table: [dict(row) for row in rows] for table, rows in tables(version).items()}
    for _ in range(draw(st.integers(1, 6))):
        table = draw(st.sampled_from(sorted(made)))
        row = draw(st.sampled_from(made[table]))
        name = draw(st.sampled_from(sorted(row) or ["X"]))
        kind = draw(st.sampled_from(("set", "drop", "text", "twin", "away", "swap")))
        if kind == "set":
            row[name] = draw(st.sampled_from(VALUES))
        elif kind == "text":
            row[name] = draw(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
        elif kind == "drop":
            row.pop(name, None)
        elif kind == "twin":
            made[table].append(dict(row))
        elif kind == "away" and len(made) > 1:
            del made[table]
        elif kind == "swap":
            other = draw(st.sampled_from(sorted(made)))
            made[table], made[other] = made[other], made[table]
    return made


@given(changed(), st.booleans(), st.booleans(), st.booleans())
@QUIET
def test_wrong_fields_rows_and_tables_never_crash(
    made: dict[str, list[dict[str, str]]], old: bool, plain: bool, cdata: bool
) -> None:
    take_in(packages.package(made, old=old, plain=plain, cdata=cdata))


@given(
    st.sampled_from(packages.VERSIONS),
    st.booleans(),
    st.booleans(),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(SPLICES)), min_size=1, max_size=4
    ),
)
@QUIET
def test_bytes_cut_out_and_put_in_never_crash(
    version: str, plain: bool, inside: bool, cuts: list[tuple[float, int, bytes]]
) -> None:
    if inside:
        summary = packages.table_text("XML1", tables(version)["XML1"]).encode()
        content = base64.b64encode(cut(summary, cuts)).decode()
        part = f"<FILEHOSO><LOAIHOSO>XML1</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"
        take_in(packages.envelope(f"<HOSO>{part}</HOSO>"))
    else:
        take_in(cut(packages.package(tables(version), old=version == "4210", plain=plain), cuts))


def cut(data: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, splice in cuts:
        at = int(place * len(data))
        data = data[:at] + splice + data[at + length :]
    return data
