"""Treatment packages GIAMDINHHS (QĐ 4210, 130, 4750, 3176): one HOSO is one visit, a birth note its own unit.

Files of any size are read HOSO by HOSO. No DTD, no entity, no network, no huge tree (XXE, bombs).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import IO, Any, Final

from lxml import etree

from ehr.intake.episode import Tables
from ehr.intake.map_episode import read_episode
from ehr.intake.models import BadInputError, BadUnit, Reason, Unit, reject
from ehr.intake.vendor_xml import explain_vendor_file
from ehr.intake.xml_fields import Row, clean
from ehr.intake.xml_tables import FREE_ROOTS, NEVER_READ, OLD_FILE, OLD_NAMES, TABLES

ROWS_MAX: Final = 20_000
# What may stand between the ends of two HOSO: a tree costs many times its bytes, a file may be of any size.
HOSO_BYTES_MAX: Final = 8 * 1024 * 1024
ELEMENTS_MAX: Final = 300_000
FILES_PER_EPISODE_MAX: Final = 40

_PROLOG_BYTES: Final = 256
_ENCODING: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([^"']{0,40})["']""", re.IGNORECASE
)


def read_package(stream: IO[bytes], name: str, now: datetime) -> Iterator[Unit | BadUnit]:
    """The units of a file, in its order. A broken file ends with a BadUnit that names the place."""
    index = 0
    facility = ""
    try:
        source = _Checked(stream)
        parser = etree.iterparse(
            source,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root_seen = False
        events = _bounded(parser, source)
        for event, element in events:
            tag = _tag(element)
            if not root_seen:
                root_seen = True
                _check_prolog(element)
                if tag != "GIAMDINHHS":
                    raise BadInputError(explain_vendor_file(events, element))
            if event == "end" and tag == "MACSKCB":
                facility = clean(element.text)
            elif event == "end" and tag == "HOSO":
                index += 1
                yield from _read_units(element, facility, f"HOSO[{index}]", now)
                _forget(element)
                source.since_last = source.elements = 0
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
    """A stream whose XML declaration was looked at: only UTF-8 is read (TCVN3, VNI and the like are not).

    since_last, elements: bytes and elements read since the last HOSO ended.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._head = stream.read(_PROLOG_BYTES)
        self.since_last = self.elements = 0
        declared = _ENCODING.match(self._head)
        if declared is not None and declared.group(1).lower() not in (b"utf-8", b"us-ascii"):
            raise reject("bad-encoding", "encoding")

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        data = head or self._stream.read(size)
        self.since_last += len(data)
        if self.since_last > HOSO_BYTES_MAX:
            raise reject("too-large", "HOSO")
        return data


def _bounded(parser: Iterator[tuple[str, Any]], source: _Checked) -> Iterator[tuple[str, Any]]:
    """The events, until one HOSO holds more elements than any visit."""
    for event, element in parser:
        if event == "start":
            source.elements += 1
            if source.elements > ELEMENTS_MAX:
                raise reject("too-large", "HOSO")
        yield event, element


def _forget(element: etree._Element) -> None:
    """Free what was read: the file may be larger than memory."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _read_units(hoso: etree._Element, facility: str, where: str, now: datetime) -> Sequence[Unit | BadUnit]:
    try:
        return read_episode(_read_tables(hoso, where), facility, where, now)
    except BadInputError as error:
        return [BadUnit(where, error.reasons)]


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
        if table not in TABLES:
            raise reject("unknown-table", f"{place}/LOAIHOSO")
        root = _content(part, f"{place}/NOIDUNGFILE")
        tables.setdefault(table, []).extend(_rows(root, table, where))
        withheld += _leave_behind(tables[table], table)
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
    if raw.count(b"<") > 2 * ELEMENTS_MAX:
        raise reject("too-large", where)
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


def _leave_behind(rows: list[Row], table: str) -> int:
    """Take out the fields that are never read; how many of them said something."""
    names = NEVER_READ.get(table, frozenset())
    return sum(1 for row in rows for name in names if row.fields.pop(name, ""))


def _rows(root: etree._Element, table: str, where: str) -> Iterator[Row]:
    for number, element in enumerate(_row_elements(root, table, where), start=1):
        place = f"{where}/{table}" if len(TABLES[table]) == 1 else f"{where}/{table}[{number}]"
        yield _row(element, table, place)


def _row_elements(root: etree._Element, table: str, where: str) -> Iterator[etree._Element]:
    path, tag = TABLES[table], _tag(root)
    if table in FREE_ROOTS:
        return _leaf_parents(root)
    if len(path) == 1:
        if tag != path[0]:
            raise reject("wrong-root", f"{where}/{table}")
        return iter((root,))
    if tag == path[1]:
        return _children(root, path[2])
    if tag != path[0]:
        raise reject("wrong-root", f"{where}/{table}")
    if any(True for _ in _children(root, path[2])):
        raise reject("row-without-list", f"{where}/{table}/{path[2]}")
    return (element for group in _children(root, path[1]) for element in _children(group, path[2]))


def _leaf_parents(root: etree._Element) -> Iterator[etree._Element]:
    """The elements whose children are fields: the root, its children, or those of a list in it."""
    children = [child for child in root if isinstance(child.tag, str)]
    if not any(len(child) for child in children):
        return iter((root,))
    return (row for child in children for row in (child if any(len(one) for one in child) else (child,)))


def _row(element: etree._Element, table: str, where: str) -> Row:
    fields: dict[str, str] = {}
    for child in element:
        name = _tag(child)
        if not name:
            raise reject("entity-refused", where)
        if name in fields:
            raise reject("duplicate-field", f"{where}.{name[:60]}")
        if len(child):
            fields[name] = _inner_text(child, f"{where}.{name[:60]}")
        elif text := child.text:
            fields[name] = clean(text)
        else:
            fields[name] = ""
    if names := OLD_NAMES.get(table):
        _rename(fields, names)
    return Row(table, where, fields)


def _inner_text(field: etree._Element, where: str) -> str:
    """The text of a field that holds elements."""
    if any(not isinstance(inner.tag, str) for inner in field.iter()):
        raise reject("entity-refused", where)
    return clean("".join(str(text) for text in field.itertext()))


def _rename(fields: dict[str, str], names: dict[str, str]) -> None:
    """QĐ 4210's names to today's, where today's is not there; only XML1 shows which of both it is."""
    for old, new in names.items():
        if old in fields and new not in fields:
            fields[new] = fields.pop(old)
            fields.setdefault(OLD_FILE, "1")


def _tag(element: etree._Element) -> str:
    """The local name in upper case; "" for what is no element."""
    return _name_of(element.tag)


@lru_cache(maxsize=2_000)
def _name_of(tag: object) -> str:
    return tag.rpartition("}")[2].upper() if isinstance(tag, str) else ""


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if _tag(child) == name)


def _child_text(element: etree._Element, name: str) -> str:
    return next(("".join(str(t) for t in child.itertext()) for child in _children(element, name)), "")
