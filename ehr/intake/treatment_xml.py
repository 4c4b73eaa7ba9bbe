"""Treatment packages GIAMDINHHS (QĐ 130/4750/3176): one HOSO is one episode and one unit.

Files of any size are read HOSO by HOSO. No DTD, no entity, no network, no huge tree (XXE, bombs).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, Final

from lxml import etree

from ehr.intake.episode import Tables
from ehr.intake.map_episode import read_episode
from ehr.intake.models import BadInputError, BadUnit, Reason, Unit, reject
from ehr.intake.vendor_xml import explain_vendor_file
from ehr.intake.xml_fields import Row, clean

ROWS_MAX: Final = 20_000
FILES_PER_EPISODE_MAX: Final = 40

# root / list / row of each table that is read (vietnam.md §4); without a list the root is the row.
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "XML1": ("TONG_HOP",),
    "XML2": ("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC"),
    "XML3": ("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT"),
    "XML4": ("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS"),
    "XML5": ("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH", "CHI_TIET_DIEN_BIEN_BENH"),
    "XML7": ("CHI_TIEU_DU_LIEU_GIAY_RA_VIEN",),
    "XML8": ("CHI_TIEU_DU_LIEU_TOM_TAT_HO_SO_BENH_AN",),
    "XML13": ("CHI_TIEU_GIAYCHUYENTUYEN",),
    "XML14": ("CHI_TIEU_GIAYHEN_KHAMLAI",),
}
_PROLOG_BYTES: Final = 256
_ENCODING: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([^"']{0,40})["']""", re.IGNORECASE
)
# Known tables that this reader leaves alone; XML6 never gets in at all (the gate).
_LEFT_OUT: Final = frozenset({"XML0", "XML9", "XML10", "XML11", "XML12", "XML15"})


def read_package(stream: IO[bytes], name: str, now: datetime) -> Iterator[Unit | BadUnit]:
    """The units of a file, in its order. A broken file ends with a BadUnit that names the place."""
    index = 0
    facility = ""
    try:
        parser = etree.iterparse(
            _Checked(stream),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root_seen = False
        for event, element in parser:
            tag = _tag(element)
            if not root_seen:
                root_seen = True
                _check_prolog(element)
                if tag != "GIAMDINHHS":
                    raise BadInputError(explain_vendor_file(parser, element))
            if event == "end" and tag == "MACSKCB":
                facility = clean(element.text)
            elif event == "end" and tag == "HOSO":
                index += 1
                yield _read_unit(element, facility, f"HOSO[{index}]", now)
                _forget(element)
        if index == 0:
            yield BadUnit(name, [Reason("no-episode", "GIAMDINHHS")])
    except etree.XMLSyntaxError as error:
        yield BadUnit(name, [Reason("bad-xml", f"line {error.lineno}, column {error.offset}")])
    except BadInputError as error:
        yield BadUnit(name, error.reasons)


def _check_prolog(root: etree._Element) -> None:
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise reject("doctype-refused", "DOCTYPE")


class _Checked:
    """A stream whose XML declaration was looked at: only UTF-8 is read (TCVN3, VNI and the like are not)."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._head = stream.read(_PROLOG_BYTES)
        declared = _ENCODING.match(self._head)
        if declared is not None and declared.group(1).lower() not in (b"utf-8", b"us-ascii"):
            raise reject("bad-encoding", "encoding")

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._stream.read(size)


def _forget(element: etree._Element) -> None:
    """Free what was read: the file may be larger than memory."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _read_unit(hoso: etree._Element, facility: str, where: str, now: datetime) -> Unit | BadUnit:
    try:
        return read_episode(_read_tables(hoso, where), facility, where, now)
    except BadInputError as error:
        return BadUnit(where, error.reasons)


def _read_tables(hoso: etree._Element, where: str) -> Tables:
    tables: dict[str, list[Row]] = {}
    withheld = 0
    for count, part in enumerate(_children(hoso, "FILEHOSO"), start=1):
        if count > FILES_PER_EPISODE_MAX:
            raise reject("too-large", where)
        place = f"{where}/FILEHOSO[{count}]"
        table = clean(_child_text(part, "LOAIHOSO")).upper()
        if table == "XML6":
            withheld += 1
            continue
        if table in _LEFT_OUT:
            continue
        if table not in TABLES:
            raise reject("unknown-table", f"{place}/LOAIHOSO")
        root = _content(part, f"{place}/NOIDUNGFILE")
        tables.setdefault(table, []).extend(_rows(root, table, where))
    if sum(len(rows) for rows in tables.values()) > ROWS_MAX:
        raise reject("too-large", where)
    return Tables(tables, withheld)


def _content(part: etree._Element, where: str) -> etree._Element:
    """NOIDUNGFILE, plain or in base64 with any white space (both occur, vietnam.md §4)."""
    holder = next(_children(part, "NOIDUNGFILE"), None)
    if holder is None:
        raise reject("missing-field", where)
    inner = next((child for child in holder if isinstance(child.tag, str)), None)
    if inner is not None:
        return inner
    text = (holder.text or "").strip()
    if text.startswith("<"):
        return _parse(text.encode(), where)
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise reject("bad-base64", where) from None
    return _parse(raw, where)


def _parse(raw: bytes, where: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise reject("bad-xml", where) from None
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise reject("doctype-refused", where)
    if (info.encoding or "utf-8").lower() not in ("utf-8", "ascii", "us-ascii"):
        raise reject("bad-encoding", where)
    return root


def _rows(root: etree._Element, table: str, where: str) -> Iterator[Row]:
    path = TABLES[table]
    if _tag(root) != path[0]:
        raise reject("wrong-root", f"{where}/{table}")
    if len(path) == 1:
        yield _row(root, table, f"{where}/{table}")
        return
    if any(True for _ in _children(root, path[2])):
        raise reject("row-without-list", f"{where}/{table}/{path[2]}")
    number = 0
    for group in _children(root, path[1]):
        for element in _children(group, path[2]):
            number += 1
            yield _row(element, table, f"{where}/{table}[{number}]")


def _row(element: etree._Element, table: str, where: str) -> Row:
    fields: dict[str, str] = {}
    for child in element:
        if not isinstance(child.tag, str):
            raise reject("entity-refused", where)
        name = _tag(child)
        if name in fields:
            raise reject("duplicate-field", f"{where}.{name[:60]}")
        if any(not isinstance(inner.tag, str) for inner in child.iter()):
            raise reject("entity-refused", f"{where}.{name[:60]}")
        fields[name] = clean("".join(str(text) for text in child.itertext()))
    return Row(table, where, fields)


def _tag(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].upper() if isinstance(tag, str) else ""


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if _tag(child) == name)


def _child_text(element: etree._Element, name: str) -> str:
    return next(("".join(str(t) for t in child.itertext()) for child in _children(element, name)), "")
