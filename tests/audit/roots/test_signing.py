"""The published keys: a new one comes with the word of the one before."""

from pathlib import Path

import pytest

from audit.roots.models import AuditRoots, Pin
from audit.roots.signing import public_keys
from audit.roots.verify import believed_keys
from store.keys import KeyRing, add_key


@pytest.fixture
def place(tmp_path: Path) -> Path:
    KeyRing.create(tmp_path / "keys", demo=True)
    return tmp_path / "keys"


def believed(place: Path, kid: str) -> list[str]:
    """What somebody believes of today's keys who kept the one of this id."""
    published = public_keys(KeyRing.load(place))
    kept = [key for key in published if key.kid == kid]
    pin = Pin(seq=1, h="00" * 32, keys=kept)
    return [key.kid for key in believed_keys([AuditRoots(keys=published, roots=[])], pin)]


def test_s25_whoever_kept_a_key_believes_all_that_came_after_it(place: Path) -> None:
    assert add_key(place, "audit-root") == "0002"
    assert add_key(place, "audit-root") == "0003"
    assert believed(place, "0001") == ["0001", "0002", "0003"]
    assert believed(place, "0002") == ["0002", "0003"]


def test_s25_a_key_whose_forerunner_is_lost_is_vouched_for_by_nobody(place: Path) -> None:
    add_key(place, "audit-root")
    signers = KeyRing.load(place).signers("audit-root")
    assert signers.keys() == {"0001", "0002"}
    (place / "audit-root.0001.key").unlink()
    (key,) = public_keys(KeyRing.load(place))
    assert (key.kid, key.vouchers) == ("0002", [])
