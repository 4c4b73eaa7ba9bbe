"""The tree's mathematics: against its definition, against an independent library, and against forgers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import (
    InclusionProof,
    InmemoryTree,
    InvalidProof,
    verify_consistency,
    verify_inclusion,
)

from audit.roots.tree import (
    EMPTY,
    HASH_BYTES,
    WIDTH,
    Span,
    Tile,
    consistency_spans,
    holds_consistency,
    holds_inclusion,
    inclusion_spans,
    leaf_hash,
    node_hash,
    span_hash,
    tile_hash,
    tiles_of,
)

# Around every border of a tile, two levels up.
SIZES = [*range(1, 40), 255, 256, 257, 511, 512, 513, 1000, 65535, 65536, 65537, 70001]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def tiles(hashes: list[bytes]) -> dict[Tile, bytes]:
    """What the log keeps of these leaves."""
    kept: dict[Tile, bytes] = {}
    level, row = 0, hashes
    while row:
        for at in range(0, len(row), WIDTH):
            kept[Tile(level, at // WIDTH)] = b"".join(row[at : at + WIDTH])
        row = [tile_hash(kept[Tile(level, number)]) for number in range(len(row) // WIDTH)]
        level += 1
    return kept


def defined(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word by word."""
    if not hashes:
        return EMPTY
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return node_hash(defined(hashes[:half]), defined(hashes[half:]))


def proof(kept: dict[Tile, bytes], spans: list[Span]) -> list[bytes]:
    """Made of the tiles that are said to be needed, and of no others."""
    needed = {tile: kept[tile] for tile in tiles_of(spans)}
    return [span_hash(span, needed.__getitem__) for span in spans]


def peer(count: int) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for number in range(count):
        tree.append_entry(b"%d" % number)
    return tree


@pytest.mark.parametrize("size", [0, *SIZES])
def test_a_root_of_tiles_is_the_root_by_definition(size: int) -> None:
    hashes = leaves(size)
    (made,) = proof(tiles(hashes), [Span(0, size)])
    assert made == defined(hashes)


@pytest.mark.parametrize("size", SIZES)
def test_every_kind_of_place_and_of_older_size_is_proven(size: int) -> None:
    hashes = leaves(size)
    kept, root = tiles(hashes), defined(hashes)
    for at in sorted({0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size))):
        assert holds_inclusion(hashes[at], at, size, proof(kept, inclusion_spans(at, size)), root)
        older = at + 1
        steps = proof(kept, consistency_spans(older, size))
        assert holds_consistency(older, size, steps, defined(hashes[:older]), root)


def test_a_proof_in_ten_million_leaves_needs_few_tiles() -> None:
    size = 10_000_000
    most = max(len(tiles_of(inclusion_spans(at, size))) for at in range(0, size, 99_991))
    assert most <= 7
    assert len(tiles_of([Span(0, size)])) <= 4


@pytest.mark.parametrize("size", range(1, 40))
def test_s25_an_independent_library_makes_the_same_roots_and_takes_our_proofs(size: int) -> None:
    hashes = leaves(size)
    kept, root, theirs = tiles(hashes), defined(hashes), peer(size)
    assert proof(kept, [Span(0, size)])[0] == theirs.get_root(size)
    for at in range(size):
        ours = proof(kept, inclusion_spans(at, size))
        shape = theirs.prove_inclusion(at + 1, size).serialize()
        told = InclusionProof.deserialize(shape | {"path": [step.hex() for step in [hashes[at], *ours]]})
        verify_inclusion(hashes[at], root, told, index=at + 1, size=size)
        with pytest.raises(InvalidProof):
            verify_inclusion(leaf_hash(b"forged"), root, told, index=at + 1, size=size)


@pytest.mark.parametrize("size", range(2, 40))
def test_s25_every_root_of_an_independent_library_continues_its_older_ones(size: int) -> None:
    theirs = peer(size)
    hashes = leaves(size)
    kept = tiles(hashes)
    for older in range(1, size):
        told = theirs.prove_consistency(older, size)
        verify_consistency(theirs.get_root(older), theirs.get_root(size), told)
        ours = proof(kept, consistency_spans(older, size))
        assert holds_consistency(older, size, ours, theirs.get_root(older), theirs.get_root(size))
        assert not holds_consistency(older, size, ours, leaf_hash(b"forged"), theirs.get_root(size))


@given(st.data())
def test_s25_no_other_leaf_place_size_or_step_is_taken(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 600))
    at = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    kept, root = tiles(hashes), defined(hashes)
    steps = proof(kept, inclusion_spans(at, size))
    assert not holds_inclusion(leaf_hash(b"forged"), at, size, steps, root)
    assert not holds_inclusion(hashes[at], (at + 1) % size, size, steps, root)
    assert not holds_inclusion(hashes[at], at, size, [*steps, steps[0]], root)
    assert not holds_inclusion(hashes[at], at, size, steps[:-1], root)
    spoiled = data.draw(st.integers(0, len(steps) - 1))
    other = [*steps[:spoiled], bytes(HASH_BYTES), *steps[spoiled + 1 :]]
    assert not holds_inclusion(hashes[at], at, size, other, root)


@given(st.data())
def test_s25_a_replaced_leaf_of_the_older_log_continues_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 600))
    older = data.draw(st.integers(1, size - 1))
    replaced = data.draw(st.integers(0, older - 1))
    hashes = leaves(size)
    was, root = defined(hashes[:older]), defined(hashes)
    rewritten = [*hashes[:replaced], leaf_hash(b"another head"), *hashes[replaced + 1 :]]
    steps = proof(tiles(rewritten), consistency_spans(older, size))
    assert not holds_consistency(older, size, steps, was, defined(rewritten))
    true = proof(tiles(hashes), consistency_spans(older, size))
    assert holds_consistency(older, size, true, was, root)
    assert not holds_consistency(older, size, [*true, root], was, root)
