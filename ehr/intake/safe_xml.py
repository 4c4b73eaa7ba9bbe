"""XML that is read whole: no DTD, no entity, no network, no huge tree, no other encoding than UTF-8."""

from collections.abc import Iterator
from typing import IO, Any, Final

from lxml import etree

from ehr.intake.models import reject
from ehr.intake.xml_fields import clean
from kernel.safe_xml import parser_options

DOCUMENT_BYTES_MAX: Final = 16 * 1024 * 1024
# A tree takes some 120 bytes an element, whatever its few letters cost the sender.
TAGS_MAX: Final = 400_000
_ENCODINGS: Final = frozenset({"utf-8", "ascii", "us-ascii"})
_HEAD_BYTES: Final = 4096
_HEAD_PARTS: Final = 16


def root_name(stream: IO[bytes]) -> str:
    """The local name of the root element, "" when none is found in 64 KiB; the stream is rewound."""
    parser = etree.XMLPullParser(events=("start",), **parser_options())
    try:
        for _ in range(_HEAD_PARTS):
            part = stream.read(_HEAD_BYTES)
            parser.feed(part)
            found: Any = next(iter(parser.read_events()), None)
            if found is not None:
                return local(found[1])
            if not part:
                break
    except (etree.XMLSyntaxError, ValueError):
        pass
    finally:
        stream.seek(0)
    return ""


def parse_document(stream: IO[bytes], where: str) -> etree._Element:
    """The root of a whole document of at most 16 MiB and 200,000 elements.

    Raises BadInputError: too-large, bad-xml with line and column, doctype-refused, bad-encoding,
    entity-refused.
    """
    data = stream.read(DOCUMENT_BYTES_MAX + 1)
    if len(data) > DOCUMENT_BYTES_MAX or data.count(b"<") > TAGS_MAX:
        raise reject("too-large", where)
    try:
        root = etree.fromstring(data.strip(), etree.XMLParser(**parser_options()))
    except etree.XMLSyntaxError as error:
        raise reject("bad-xml", f"line {error.lineno}, column {error.offset}") from None
    except ValueError:
        raise reject("bad-xml", where) from None
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise reject("doctype-refused", "DOCTYPE")
    if (info.encoding or "utf-8").lower() not in _ENCODINGS:
        raise reject("bad-encoding", "encoding")
    if any(not isinstance(element.tag, str) for element in root.iter()):
        raise reject("entity-refused", where)
    return root


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """The children of those local names, in the document's order."""
    return (child for child in (() if element is None else element) if local(child) in names)


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element down a path of local names."""
    for name in path:
        element = next(children(element, name), None)
    return element


def text_of(element: etree._Element | None) -> str:
    """All text inside, NFC and stripped."""
    return "" if element is None else clean("".join(str(part) for part in element.itertext()))
