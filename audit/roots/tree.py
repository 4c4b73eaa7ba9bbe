"""The Merkle tree of the log of changed heads (RFC 6962 §2.1, RFC 9162 §2.1.3 for the checks). Pure.

Kept of a tree are tiles: 256 hashes of perfect subtrees of 256^level leaves, side by side. Everything else is
made of them when it is asked for. A proof touches one tile a level beside the right edge, and a root touches
the right edge alone, however many leaves there are.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

WIDTH: Final = 256
HASH_BYTES: Final = 32
EMPTY: Final = hashlib.sha256(b"").digest()
# 256^5 leaves: more heads than there will ever be.
LEVELS_MAX: Final = 5


class Span(NamedTuple):
    """Leaves from `begin` up to and without `end`."""

    begin: int
    end: int


class Tile(NamedTuple):
    """Which tile: hashes `number` × 256 and on, of a level."""

    level: int
    number: int


# The hashes of a tile, one after the other; fewer than 256 at the right edge.
Tiles: TypeAlias = Callable[[Tile], bytes]


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The subtrees whose hashes prove leaf `index` in a tree of `size`, from the leaf up."""
    spans: list[Span] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _half(end - begin)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(begin, middle))
            begin = middle
    return spans[::-1]


def consistency_spans(old: int, size: int) -> list[Span]:
    """The subtrees whose hashes prove that the tree of `size` continues the one of `old` > 0."""
    spans: list[Span] = []
    begin, end, whole = 0, size, True
    while old != end:
        middle = begin + _half(end - begin)
        if old <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(begin, middle))
            begin, whole = middle, False
    if not whole:
        spans.append(Span(begin, end))
    return spans[::-1]


def tiles_of(spans: Iterable[Span]) -> set[Tile]:
    """What must be at hand before the hashes of these subtrees can be made."""
    return {Tile(level, index // WIDTH) for span in spans for level, index in _kept(span)}


def span_hash(span: Span, tiles: Tiles) -> bytes:
    """The hash of a subtree of a tree."""
    begin, end = span
    if begin == end:
        return EMPTY
    level = _level(span)
    if level is not None:
        at = begin // WIDTH**level
        offset = at % WIDTH * HASH_BYTES
        kept = tiles(Tile(level, at // WIDTH))[offset : offset + HASH_BYTES]
        if len(kept) != HASH_BYTES:
            raise ValueError("a tile is too short")
        return kept
    middle = begin + _half(end - begin)
    return node_hash(span_hash(Span(begin, middle), tiles), span_hash(Span(middle, end), tiles))


def tile_hash(hashes: bytes) -> bytes:
    """The root over the hashes of a full tile: one hash of the level above."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def holds_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 §2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, made = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            made = node_hash(step, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, step)
        at, last = at >> 1, last >> 1
    return last == 0 and made == root


def holds_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """RFC 9162 §2.1.4.2. Every tree continues the empty one."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not path and old_root == root
    if old == 0:
        return not path and old_root == EMPTY
    steps = list(path) if old & (old - 1) else [old_root, *path]
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not steps:
        return False
    made_old = made = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            made_old, made = node_hash(step, made_old), node_hash(step, made)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            made = node_hash(made, step)
        at, last = at >> 1, last >> 1
    return last == 0 and made_old == old_root and made == root


def _half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _level(span: Span) -> int | None:
    """The level that keeps this subtree's hash, if one does."""
    size, level = span.end - span.begin, 0
    while size > 1 and size % WIDTH == 0:
        size, level = size // WIDTH, level + 1
    return level if size == 1 else None


def _kept(span: Span) -> Iterable[tuple[int, int]]:
    """(level, index) of the kept hashes that a subtree is made of; of a full stretch in one tile, one."""
    begin, end = span
    while begin < end:
        level = _highest(begin, end)
        unit = WIDTH**level
        # As far as one tile of that level reaches.
        stop = min(end // unit, (begin // unit // WIDTH + 1) * WIDTH)
        yield level, begin // unit
        begin = stop * unit


def _highest(begin: int, end: int) -> int:
    """The highest level of which a whole unit stands at `begin`."""
    level = 0
    while begin % WIDTH ** (level + 1) == 0 and begin + WIDTH ** (level + 1) <= end:
        level += 1
    return level
