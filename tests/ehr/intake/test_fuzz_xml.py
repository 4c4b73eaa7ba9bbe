"""Mutated CDA documents and QĐ 831 forms: reasons with places, never a crash, no hang.

400 files here; 20,000 with HEALTHBOOK_COUNTS=full (`make test-full`). That no unit is written by half:
test_fuzz_whole.py.
"""

import copy
from collections.abc import Callable
from functools import cache

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.support.cda import Invented, document
from tests.support.clock import START
from tests.support.fuzz import FULL, quiet, take_in
from tests.support.phr831 import sample
from tests.support.signing import make_signer, signed

QUIET = quiet(10_000 if FULL else 200)
Change = Callable[[etree._Element, str], None]
VALUES = [
    *("", " ", "0", "-1", "1e999", "NaN", "x" * 400, "\u202e", "👩", "00000000", "99999999999999"),
    *("2026-02-30", "31/02/2026", "1/1/0001", "20261301", "202603020815+9999", "<", "&amp;", "true"),
    *("null", "B20", "ARV", "#", "#al1", "urn:uuid:x", "../..", "%00", "1.2.3", "079080001234"),
    *("٣٤", "½", "1,5", "1.", ".5", "+5"),
]
SPLICES = [b"\x00", b"\xff", b"<", b">", b"&", b"]]>", b"<!DOCTYPE x>", b"<![CDATA[", b"&#0;", b"<a/>", b"'"]


@cache
def samples() -> list[bytes]:
    plain = [document(Invented()).encode(), sample().encode()]
    return [*plain, signed(plain[1], make_signer(START))]


def _set_text(element: etree._Element, value: str) -> None:
    if len(element) == 0:
        element.text = value.replace("\x00", "")


def _set_attribute(element: etree._Element, value: str) -> None:
    for name in list(element.attrib)[:3]:
        element.set(name, value)


def _drop(element: etree._Element, _value: str) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _repeat(element: etree._Element, _value: str) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.append(copy.deepcopy(element))


def _nest(element: etree._Element, _value: str) -> None:
    element.append(copy.deepcopy(element))


def _null(element: etree._Element, _value: str) -> None:
    element.attrib.clear()
    element.set("nullFlavor", "UNK")


CHANGES: list[Change] = [_set_text, _set_attribute, _drop, _repeat, _nest, _null]


@st.composite
def cut_files(draw: st.DrawFn) -> bytes:
    """Samples with bytes cut out and put in."""
    data = draw(st.sampled_from(samples()))
    cuts = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SPLICES))
    for place, length, splice in draw(st.lists(cuts, min_size=1, max_size=4)):
        at = int(place * len(data))
        data = data[:at] + splice + data[at + length :]
    return data


@st.composite
def changed_files(draw: st.DrawFn) -> bytes:
    """Well-formed samples with other elements."""
    root = etree.fromstring(draw(st.sampled_from(samples())))
    changes = st.tuples(st.floats(0, 1), st.sampled_from(CHANGES), st.sampled_from(VALUES))
    for place, change, value in draw(st.lists(changes, min_size=1, max_size=6)):
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        change(elements[min(int(place * len(elements)), len(elements) - 1)], value)
    return etree.tostring(root)


@given(cut_files())
@QUIET
def test_bytes_cut_out_and_put_in_never_crash(data: bytes) -> None:
    take_in(data, START)


@given(changed_files())
@QUIET
def test_well_formed_files_with_other_elements_never_crash(data: bytes) -> None:
    take_in(data, START)
