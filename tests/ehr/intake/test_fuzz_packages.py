"""Mutated SYNTHETIC packages of all versions: reasons with places, no crash, no hang.

300 files here; 20,000 with HEALTHBOOK_COUNTS=full. That no unit is written by half: test_fuzz_whole.py.
"""

import base64
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from tests.support import packages
from tests.support.clock import START
from tests.support.fuzz import FULL, quiet, take_in

QUIET = quiet(10_000 if FULL else 150)
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


@st.composite
def changed_packages(draw: st.DrawFn) -> bytes:
    """Packages in every envelope, with wrong fields, rows and tables."""
    old, plain, cdata = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    return packages.package(draw(changed()), old=old, plain=plain, cdata=cdata)


CUTS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(SPLICES)), min_size=1, max_size=4
)


@st.composite
def cut_packages(draw: st.DrawFn) -> bytes:
    """Packages with bytes cut out and put in, in the file or inside one of its tables."""
    version, cuts = draw(st.sampled_from(packages.VERSIONS)), draw(CUTS)
    if draw(st.booleans()):
        summary = packages.table_text("XML1", tables(version)["XML1"]).encode()
        content = base64.b64encode(cut(summary, cuts)).decode()
        part = f"<FILEHOSO><LOAIHOSO>XML1</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"
        return packages.envelope(f"<HOSO>{part}</HOSO>")
    return cut(packages.package(tables(version), old=version == "4210", plain=draw(st.booleans())), cuts)


def cut(data: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, splice in cuts:
        at = int(place * len(data))
        data = data[:at] + splice + data[at + length :]
    return data


@given(changed_packages())
@QUIET
def test_wrong_fields_rows_and_tables_never_crash(data: bytes) -> None:
    take_in(data, START)


@given(cut_packages())
@QUIET
def test_bytes_cut_out_and_put_in_never_crash(data: bytes) -> None:
    take_in(data, START)
