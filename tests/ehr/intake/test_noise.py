"""Any bytes at all: a report with reasons, never a crash, never half a unit."""

import copy
import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ehr.intake.models import BadInputError, BadUnit, Reason
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.units import prepare
from tests.support.shared import shared

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SPLICES = [
    *(b"\x00", b"\xff", b'"', b"{", b"}", b"]", b"<", b">", b"&", b"&#0;", b"<!DOCTYPE x>", b"]]>"),
    *(b"null", b"[]", b"{}", b"1e999", b"-1", b"true", b'""', b"\\u0000", b"\\ud800", b"2026-02-30"),
]


@cache
def samples() -> list[bytes]:
    bundles = shared("data/fhir/bundles")
    small = ("carebundle-panel", "ips-ips-examples-01", "ips-bundle-ips-all-sections")
    packages = sorted(shared("data/vietnam").glob("*.xml"))
    return [gzip.decompress((bundles / f"{name}.json.gz").read_bytes()) for name in small] + [
        path.read_bytes() for path in packages
    ]


def take_in(data: bytes) -> None:
    """Read and prepare everything; each unit is whole or a BadUnit with reasons and no values."""
    for unit in read_units(io.BytesIO(data), "noise", NOW):
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


@given(st.binary(max_size=300), st.sampled_from([b"", b"{", b"<", b"\x1f\x8b", b'{"resourceType":"Bundle",']))
@settings(max_examples=300, deadline=None)
def test_noise_never_crashes(data: bytes, start: bytes) -> None:
    take_in(start + data)


@given(
    st.integers(0, 6),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(SPLICES), st.integers(0, 12)), min_size=1, max_size=4
    ),
)
@settings(max_examples=400, deadline=None)
def test_a_damaged_sample_never_crashes(which: int, damage: list[tuple[float, bytes, int]]) -> None:
    data = samples()[which % len(samples())]
    for place, splice, cut in damage:
        at = int(place * len(data))
        data = data[:at] + splice + data[at + cut :]
    take_in(data)


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1e300,
    "",
    "x",
    "2026-02-30",
    "Patient/x",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
]


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    keys = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(keys):
        yield node, key
        yield from places(child)


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(VALUES)), min_size=1, max_size=3)


@given(st.integers(0, 2), CHANGES)
@settings(max_examples=300, deadline=None)
def test_a_value_of_another_type_anywhere_never_crashes(which: int, changes: list[tuple[float, Any]]) -> None:
    bundle = json.loads(samples()[which])
    for place, value in changes:
        found = list(places(bundle["entry"])) if isinstance(bundle.get("entry"), list) else []
        if found:
            container, key = found[int(place * (len(found) - 1))]
            container[key] = copy.deepcopy(value)
    take_in(json.dumps(bundle).encode())
