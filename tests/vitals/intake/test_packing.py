"""The bytes of a series: exact there and back, and the smallest that are."""

from array import array
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.packing import GAP_MAX_MS, pack, pack_steady, unpack

VALUE = st.integers(-(2**15), 2**15 - 1)
DELTA = st.one_of(
    st.integers(0, 300).map(lambda s: s * 1000),
    st.integers(0, 70_000).map(lambda s: s * 1000),
    st.integers(0, 5_000),
    st.integers(0, GAP_MAX_MS),
)
POINTS = st.lists(st.tuples(VALUE, DELTA), min_size=1, max_size=60)


@given(POINTS)
def test_points_come_back_as_they_were(points: list[tuple[int, int]]) -> None:
    values = array("h", [value for value, _ in points])
    offsets = list(accumulate((delta for _, delta in points[1:]), initial=0))
    came, at = unpack(pack(values, offsets), len(points))
    assert (came, list(at)) == (values, offsets)


@given(st.lists(VALUE, min_size=1, max_size=60), DELTA)
def test_a_constant_step_needs_no_offsets(numbers: list[int], step: int) -> None:
    values = array("h", numbers)
    offsets = [i * step for i in range(len(numbers))]
    assert pack_steady(values, step) == pack(values, offsets)
    assert list(unpack(pack_steady(values, step), len(numbers))[1]) == offsets


@pytest.mark.parametrize(
    ("offsets", "number", "size"),
    [
        ([0], 2, 3),
        ([0, 1000], 2, 6),
        ([0, 60_000, 120_000, 180_000, 240_000, 300_000], 1, 17),
        ([0, 255_000, 256_000], 2, 9),
        ([0, 256_000, 257_000], 3, 11),
        ([0, 65_535_000, 65_536_000], 3, 11),
        ([0, 65_536_000, 65_537_000], 4, 15),
        ([0, 1, 3], 4, 15),
        ([0, 0, 0], 2, 9),
    ],
)
def test_the_smallest_exact_format_is_taken(offsets: list[int], number: int, size: int) -> None:
    packed = pack(array("h", [700] * len(offsets)), offsets)
    assert (packed[0], len(packed)) == (number, size)


def test_the_bytes_are_little_endian() -> None:
    assert pack(array("h", [1, -2]), [0, 300_000]) == bytes.fromhex("03 0100 feff 2c01")


@pytest.mark.parametrize("offsets", [[0, GAP_MAX_MS + 1], [0, -1]])
def test_what_no_delta_holds_is_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="gap"):
        pack(array("h", [1, 2]), offsets)


@pytest.mark.parametrize(
    "packed", [b"\x02\x01\x00", b"\x09\x01\x00\x01\x00\x05", b"\x03\x01\x00\x01\x00\x05\x00\x05\x00"]
)
def test_bytes_that_are_no_series_of_two_points_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="points"):
        unpack(packed, 2)
