"""How a key begins while processes run, and ends once nothing needs it."""

from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from store import keys as store_keys
from store.fields import lookup_hashes, seal, unseal
from store.key_life import LEAD, LEADS, retire, states, why_not_retired
from store.keys import FOR_EVER, OPTIONAL, PURPOSES, SIGNING, KeyRing, KeyRingError, Purpose, add_key
from tests.store.test_fields import PERSON
from tests.support.clock import START, FrozenClock

CHANGED = [purpose for purpose in PURPOSES if purpose not in FOR_EVER]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    KeyRing.create(tmp_path, demo=False)
    return tmp_path


def current(ring: KeyRing, purpose: Purpose) -> str:
    return ring.signer(purpose)[0] if purpose in SIGNING else ring.secret(purpose)[0]


@pytest.mark.parametrize("purpose", [one for one in CHANGED if one not in OPTIONAL])
def test_a_key_is_known_before_its_instant_and_used_from_then_on(place: Path, purpose: Purpose) -> None:
    clock = FrozenClock()
    ring = KeyRing.load(place, clock)
    assert add_key(place, purpose, START + timedelta(minutes=10)) == "0002"
    ring.look()
    assert current(ring, purpose) == "0001"
    if purpose in SIGNING:
        assert set(ring.public_keys(purpose)) == {"0001", "0002"}
    else:
        assert [key_id for key_id, _ in ring.secrets(purpose)] == ["0001", "0002"]
    clock.advance(seconds=600)
    assert current(ring, purpose) == "0002"
    assert {one.state for one in states(place, clock.now()) if one.purpose == purpose} == {"current", "older"}


def test_a_running_process_opens_at_once_what_another_made_with_a_newer_key(place: Path) -> None:
    running = KeyRing.load(place)
    add_key(place, "field")
    other = KeyRing.load(place)
    assert unseal(running, PERSON, "a", "b", seal(other, PERSON, "a", "b", "x")) == "x"
    add_key(place, "pepper")
    with pytest.raises(KeyRingError, match="no pepper key 0009"):
        running.secret("pepper", "0009")
    assert running.secret("pepper")[0] == "0002"


def test_a_look_up_tries_the_coming_version_before_and_the_older_one_after(place: Path) -> None:
    clock = FrozenClock()
    ring = KeyRing.load(place, clock)
    (alone,) = lookup_hashes(ring, "national-id", "1")
    add_key(place, "lookup", START + timedelta(minutes=10))
    ring.look()
    before = lookup_hashes(ring, "national-id", "1")
    clock.advance(seconds=600)
    after = lookup_hashes(ring, "national-id", "1")
    assert before[0] == alone
    assert after == before[::-1]


def test_a_directory_that_cannot_be_read_changes_nothing_and_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing.load(place)
    (place / "field.0002.key").write_text("half")
    (place / "field.0002.key").chmod(0o600)
    monkeypatch.setattr(store_keys, "_log", structlog.get_logger())
    with capture_logs() as told:
        ring.look()
    assert told[0]["event"] == "keys_unreadable"
    assert told[0]["alert"] is True
    assert ring.secret("field")[0] == "0001"
    (place / "field.0002.key").unlink()
    add_key(place, "field")
    ring.look()
    assert ring.secret("field")[0] == "0002"


def test_an_id_is_never_given_twice(place: Path) -> None:
    add_key(place, "partner")
    add_key(place, "partner")
    retire(place, "partner", "0002")
    retire(place, "partner", "0003")
    assert add_key(place, "partner") == "0004"
    assert set(KeyRing.load(place).public_keys("partner")) == {"0001", "0002", "0003", "0004"}


def test_a_key_that_was_cut_off_before_it_was_made_leaves_the_way_free(place: Path) -> None:
    (place / "field.0002.from").write_text(f"{START.isoformat()}\n")
    assert add_key(place, "field", START + timedelta(minutes=10)) == "0003"


def test_what_may_be_taken_away_and_what_not(place: Path) -> None:
    now = START
    for purpose in CHANGED:
        add_key(place, purpose, now)
    add_key(place, "axis", now)
    found = states(place, now)
    for purpose in FOR_EVER:
        assert "never changed" in str(why_not_retired(found, purpose, "0001", now))
    for purpose in CHANGED:
        assert "is the current" in str(why_not_retired(found, purpose, "0002", now))
        assert why_not_retired(found, purpose, "0001", now) is not None
    later = now + timedelta(days=365)
    kept = {purpose for purpose in CHANGED if why_not_retired(states(place, later), purpose, "0001", later)}
    assert kept == {"paper-reference", "audit-root"}
    assert why_not_retired(found, "field", "0007", now) == "There is no field key 0007."


def test_a_retired_signer_leaves_its_public_half_and_a_secret_nothing(place: Path) -> None:
    ring = KeyRing.load(place)
    private = ring.signer("qr")[1]
    secret = (place / "cursor.0001.key").read_bytes()
    for purpose in ("qr", "cursor"):
        add_key(place, purpose)
        retire(place, purpose, "0001")
    ring.look()
    assert ring.public_keys("qr")["0001"] == private.public_key()
    assert list(ring.signers("qr")) == ["0002"]
    assert [key_id for key_id, _ in ring.secrets("cursor")] == ["0002"]
    assert all(secret not in path.read_bytes() for path in place.iterdir())
    assert [one.state for one in states(place, START) if one.purpose == "qr"] == ["public-only", "current"]


def test_who_fetches_public_keys_has_time_to_do_so() -> None:
    assert all(LEADS[purpose] > LEAD for purpose in SIGNING)
