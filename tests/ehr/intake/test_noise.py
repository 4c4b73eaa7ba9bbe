"""Any bytes at all: a report with reasons, never a crash, no hang.

That no unit is written by half: test_fuzz_whole.py.
"""

import copy
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzz import quiet, take_in
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


@given(st.binary(max_size=300), st.sampled_from([b"", b"{", b"<", b"\x1f\x8b", b'{"resourceType":"Bundle",']))
@quiet(300)
def test_noise_never_crashes(data: bytes, start: bytes) -> None:
    take_in(start + data, NOW)


@st.composite
def damaged_samples(draw: st.DrawFn) -> bytes:
    """Samples with bytes cut out and put in."""
    data = draw(st.sampled_from(samples()))
    damage = st.tuples(st.floats(0, 1), st.sampled_from(SPLICES), st.integers(0, 12))
    for place, splice, cut in draw(st.lists(damage, min_size=1, max_size=4)):
        at = int(place * len(data))
        data = data[:at] + splice + data[at + cut :]
    return data


@given(damaged_samples())
@quiet(400)
def test_a_damaged_sample_never_crashes(data: bytes) -> None:
    take_in(data, NOW)


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


@st.composite
def changed_bundles(draw: st.DrawFn) -> bytes:
    """Bundles with a value of another type somewhere."""
    bundle = json.loads(draw(st.sampled_from(samples()[:3])))
    changes = st.tuples(st.floats(0, 1), st.sampled_from(VALUES))
    for place, value in draw(st.lists(changes, min_size=1, max_size=3)):
        found = list(places(bundle["entry"])) if isinstance(bundle.get("entry"), list) else []
        if found:
            container, key = found[int(place * (len(found) - 1))]
            container[key] = copy.deepcopy(value)
    return json.dumps(bundle).encode()


@given(changed_bundles())
@quiet(300)
def test_a_value_of_another_type_anywhere_never_crashes(data: bytes) -> None:
    take_in(data, NOW)
