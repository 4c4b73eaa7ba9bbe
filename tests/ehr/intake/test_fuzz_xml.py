"""Mutated CDA documents and QĐ 831 forms: reasons with places, never a crash, never half a unit.

400 files here; 20,000 with HEALTHBOOK_COUNTS=full (`make test-full`).
"""

import copy
import io
import os
from collections.abc import Callable
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from ehr.intake.models import BadInputError, BadUnit, Reason
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.units import prepare
from tests.support.cda import Invented, document
from tests.support.clock import START
from tests.support.phr831 import sample
from tests.support.signing import make_signer, signed

EXAMPLES = 10_000 if os.environ.get("HEALTHBOOK_COUNTS") == "full" else 200
Change = Callable[[etree._Element, str], None]
QUIET = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = [
    *("", " ", "0", "-1", "1e999", "NaN", "x" * 400, "\u202e", "👩", "00000000", "99999999999999"),
    *("2026-02-30", "31/02/2026", "1/1/0001", "20261301", "202603020815+9999", "<", "&amp;", "true"),
    *("null", "B20", "ARV", "#", "#al1", "urn:uuid:x", "../..", "%00", "1.2.3", "079080001234"),
    *("٣٤", "½", "1,5", "1.", ".5", "+5"),
]
SPLICES = [b"\x00", b"\xff", b"<", b">", b"&", b"]]>", b"<!DOCTYPE x>", b"<![CDATA[", b"&#0;", b"<a/>", b"'"]


CUTS = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SPLICES))


@cache
def samples() -> list[bytes]:
    plain = [document(Invented()).encode(), sample().encode()]
    return [*plain, signed(plain[1], make_signer(START))]


def take_in(data: bytes) -> None:
    for unit in read_units(io.BytesIO(data), "noise", START):
        if isinstance(unit, BadUnit):
            assert unit.reasons
            continue
        assert isinstance(unit, ReadUnit)
        reasons: list[Reason] = []
        try:
            prepared = prepare(unit.unit, unit.surveys, "source", None)
        except BadInputError as error:
            reasons = error.reasons
        assert reasons or len(prepared.resources) == len(prepared.kept)
        assert all(len(reason.where) < 300 for reason in reasons)


@given(
    st.integers(0, 2),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SPLICES)), min_size=1, max_size=4
    ),
)
@QUIET
def test_bytes_cut_out_and_put_in_never_crash(which: int, cuts: list[tuple[float, int, bytes]]) -> None:
    data = samples()[which]
    for place, length, splice in cuts:
        at = int(place * len(data))
        data = data[:at] + splice + data[at + length :]
    take_in(data)


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


@given(
    st.integers(0, 2),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(CHANGES), st.sampled_from(VALUES)), min_size=1, max_size=6
    ),
)
@QUIET
def test_well_formed_files_with_other_elements_never_crash(
    which: int, changes: list[tuple[float, Change, str]]
) -> None:
    root = etree.fromstring(samples()[which])
    for place, change, value in changes:
        elements = [one for one in root.iter() if isinstance(one.tag, str)]
        change(elements[min(int(place * len(elements)), len(elements) - 1)], value)
    take_in(etree.tostring(root))
