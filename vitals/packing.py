"""Points of a series in few bytes: values as int16, then times as deltas, in the smallest exact format.

    byte 0: format; n x int16; then times, each a delta to the point before, the first at t0:
    1: one uint32, the constant step in ms; 2: uint8 seconds; 3: uint16 seconds; 4: uint32 ms

All little-endian. One point has no deltas: format 2, and nothing after its value.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

STEADY: Final = 1
STEP_BYTES: Final = 4
# format: type of a delta, ms of its unit; the smallest first.
DELTAS: Final = {2: ("B", 1000), 3: ("H", 1000), 4: ("I", 1)}
GAP_MAX_MS: Final = 2**32 - 1
_SWAPS: Final = sys.byteorder == "big"
assert (array("h").itemsize, array("H").itemsize, array("I").itemsize) == (2, 2, 4)


def pack(values: "array[int]", offsets: Sequence[int]) -> bytes:
    """Points as bytes. values: array 'h'; offsets: ms after t0, the first 0, never falling.

    Raises ValueError on a gap of more than GAP_MAX_MS (49 days).
    """
    return _pack(values, [after - before for before, after in pairwise(offsets)])


def pack_steady(values: "array[int]", step_ms: int) -> bytes:
    """Points at a constant step as bytes: the same as `pack` makes of their offsets."""
    deltas = len(values) - 1
    if deltas > STEP_BYTES:
        return bytes((STEADY,)) + _bytes(values) + _bytes(array("I", (step_ms,)))
    return _pack(values, [step_ms] * deltas)


def _pack(values: "array[int]", deltas: list[int]) -> bytes:
    number = _smallest(deltas)
    if number == STEADY:
        times = array("I", deltas[:1])
    else:
        code, unit = DELTAS[number]
        times = array(code, deltas if unit == 1 else [delta // unit for delta in deltas])
    return bytes((number,)) + _bytes(values) + _bytes(times)


def _smallest(deltas: list[int]) -> int:
    longest = max(deltas, default=0)
    if longest > GAP_MAX_MS or min(deltas, default=0) < 0:
        raise ValueError("a gap that no delta holds")
    is_whole = all(delta % 1000 == 0 for delta in deltas)
    number = 4 if not is_whole or longest > 65_535_000 else 2 if longest <= 255_000 else 3
    size = array(DELTAS[number][0]).itemsize * len(deltas)
    return STEADY if size > STEP_BYTES and min(deltas) == longest else number


def unpack(packed: bytes, n: int) -> tuple["array[int]", Sequence[int]]:
    """The values, and the ms of each after t0. Raises ValueError where the bytes are no such series."""
    number, end = packed[0], 1 + 2 * n
    values = _array("h", packed[1:end])
    if number == STEADY:
        (step,) = _array("I", packed[end:])
        return values, range(0, n * step, step) if step else [0] * n
    if number not in DELTAS or len(values) != n:
        raise ValueError(f"no series of {n} points")
    code, unit = DELTAS[number]
    deltas = _array(code, packed[end:])
    if len(deltas) != n - 1:
        raise ValueError(f"no times of {n} points")
    return values, list(accumulate(deltas if unit == 1 else [d * unit for d in deltas], initial=0))


def _bytes(numbers: "array[int]") -> bytes:
    if _SWAPS:
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, packed: bytes) -> "array[int]":
    numbers = array(code)
    numbers.frombytes(packed)
    if _SWAPS:
        numbers.byteswap()
    return numbers
