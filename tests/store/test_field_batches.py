"""Sealing and hashing many is sealing and hashing each (security.md S15)."""

from uuid import uuid4

import pytest

from store.fields import FieldSealError, Hasher, Sealer, cell_of, lookup_hashes, unseal
from store.keys import KeyRing


def test_s15_cells_sealed_together_open_at_their_own_places_only(keys: KeyRing) -> None:
    sealer, one, other = Sealer(keys), uuid4(), uuid4()
    cells = [(cell_of("citizen", "demographics"), "Trần"), (cell_of("phone", "value"), "+84903")]
    first, second = sealer.seal(one, cells), sealer.seal(other, cells)
    assert unseal(keys, one, "citizen", "demographics", first[0]) == "Trần"
    assert unseal(keys, one, "phone", "value", first[1]) == "+84903"
    assert unseal(keys, other, "phone", "value", second[1]) == "+84903"
    assert len({sealed[-60:] for sealed in (*first, *second)}) == 4, "a nonce of its own for each"
    for sealed in (first[1], second[0]):
        with pytest.raises(FieldSealError):
            unseal(keys, one, "citizen", "demographics", sealed)


def test_s15_hashes_of_many_are_the_hashes_of_each(keys: KeyRing) -> None:
    hasher = Hasher(keys, "national-id")
    for value in ("001185000001", "001185000002", ""):
        assert hasher.hashes(value) == lookup_hashes(keys, "national-id", value)
