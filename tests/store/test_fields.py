"""security.md S15: sealed cells open at their own place only; look-up hashes live two versions."""

import secrets
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.ids import uuid7
from store.fields import FieldSealError, derive_key, header, lookup_hashes, seal, unseal
from store.keys import KeyRing, add_key
from tests.support.clock import START

PERSON = uuid7(START)
OTHER = uuid7(START)


@settings(max_examples=50, deadline=None)
@given(text=st.text())
def test_a_sealed_text_comes_back(keys: KeyRing, text: str) -> None:
    assert unseal(keys, PERSON, "phone", "number", seal(keys, PERSON, "phone", "number", text)) == text


def test_s15_a_swapped_cell_does_not_open(keys: KeyRing) -> None:
    sealed = seal(keys, PERSON, "phone", "number", "+84912345678")
    for person, table, column in [
        (OTHER, "phone", "number"),
        (PERSON, "citizen", "number"),
        (PERSON, "phone", "owner"),
    ]:
        with pytest.raises(FieldSealError):
            unseal(keys, person, table, column, sealed)


def test_s15_every_changed_byte_is_noticed(keys: KeyRing) -> None:
    sealed = seal(keys, PERSON, "phone", "number", "+84912345678")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(FieldSealError):
            unseal(keys, PERSON, "phone", "number", bytes(damaged))
    for length in range(len(sealed)):
        with pytest.raises(FieldSealError):
            unseal(keys, PERSON, "phone", "number", sealed[:length])


def test_equal_texts_are_sealed_differently(keys: KeyRing) -> None:
    assert seal(keys, PERSON, "a", "b", "x") != seal(keys, PERSON, "a", "b", "x")


def test_s15_after_a_rotation_old_cells_open_and_new_ones_use_the_new_key(tmp_path: Path) -> None:
    before = KeyRing.create(tmp_path, demo=False)
    old = seal(before, PERSON, "phone", "number", "old")
    assert add_key(tmp_path, "field") == "0002"
    after = KeyRing.load(tmp_path)
    assert unseal(after, PERSON, "phone", "number", old) == "old"
    new = seal(after, PERSON, "phone", "number", "new")
    assert new.startswith(header("0002"))
    assert unseal(before, PERSON, "phone", "number", new) == "new", "it looks again"


def test_s15_a_look_up_tries_the_current_and_the_previous_version(tmp_path: Path) -> None:
    first = KeyRing.create(tmp_path, demo=False)
    (old,) = lookup_hashes(first, "national-id", "079090000001")
    add_key(tmp_path, "lookup")
    current, previous = lookup_hashes(KeyRing.load(tmp_path), "national-id", "079090000001")
    assert (current[0], previous) == ("0002", old)
    add_key(tmp_path, "lookup")
    versions = [version for version, _ in lookup_hashes(KeyRing.load(tmp_path), "national-id", "0")]
    assert versions == ["0003", "0002"]


def test_a_look_up_hash_depends_on_kind_value_and_key(keys: KeyRing, tmp_path: Path) -> None:
    other = KeyRing.create(tmp_path, demo=False)
    hashes = {
        lookup_hashes(ring, kind, value)[0][1]
        for ring in (keys, other)
        for kind in ("national-id", "passport")
        for value in ("1", "2")
    }
    assert len(hashes) == 8
    assert lookup_hashes(keys, "a", "b") == lookup_hashes(keys, "a", "b")


def test_a_person_s_key_is_the_one_of_rfc_5869() -> None:
    for _ in range(20):
        master, person = secrets.token_bytes(32), uuid4()
        hkdf = HKDF(SHA256(), 32, None, b"healthbook field" + person.bytes)
        assert derive_key(master, person) == hkdf.derive(master)
