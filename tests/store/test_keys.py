"""The key directory: complete or refused, closed to others, rotated by adding a file."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from store.keys import OPTIONAL, PURPOSES, SIGNING, KeyRing, KeyRingError, add_key


def test_created_keys_are_closed_files_one_per_purpose(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path / "keys", demo=True)
    files = sorted(p.name for p in (tmp_path / "keys").glob("*.key"))
    assert files == sorted(f"{purpose}.0001.key" for purpose in PURPOSES if purpose not in OPTIONAL)
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert ring.demo


def test_keys_made_without_demo_carry_no_mark(tmp_path: Path) -> None:
    assert not KeyRing.create(tmp_path, demo=False).demo


def test_each_signing_purpose_has_its_curve(keys: KeyRing) -> None:
    key_id, artefact = keys.signer("consent-artefact")
    assert isinstance(artefact, ec.EllipticCurvePrivateKey)
    assert artefact.curve.name == "secp256r1"
    assert list(keys.public_keys("consent-artefact")) == [key_id]
    handed = keys.signer("partner")[1]
    assert isinstance(handed, ec.EllipticCurvePrivateKey)
    assert handed.curve.name == "secp256r1"
    for purpose in SIGNING - {"consent-artefact", "partner"}:
        assert isinstance(keys.signer(purpose)[1], ed25519.Ed25519PrivateKey)


def test_s15_a_missing_purpose_is_refused(tmp_path: Path) -> None:
    KeyRing.create(tmp_path, demo=False)
    (tmp_path / "lookup.0001.key").unlink()
    with pytest.raises(KeyRingError, match="lookup"):
        KeyRing.load(tmp_path)


def test_s15_a_key_open_to_every_user_is_refused(tmp_path: Path) -> None:
    KeyRing.create(tmp_path, demo=False)
    (tmp_path / "field.0001.key").chmod(0o644)
    with pytest.raises(KeyRingError, match="open to every user"):
        KeyRing.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"zz", b"00" * 31, b"\xff\xfe"])
@pytest.mark.parametrize("purpose", ["field", "qr"])
def test_a_malformed_key_is_refused_without_showing_it(tmp_path: Path, purpose: str, content: bytes) -> None:
    KeyRing.create(tmp_path, demo=False)
    (tmp_path / f"{purpose}.0001.key").write_bytes(content)
    with pytest.raises(KeyRingError) as raised:
        KeyRing.load(tmp_path)
    assert str(raised.value).endswith(f"does not hold a key for {purpose}")


def test_a_retired_signer_keeps_its_public_half(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, demo=False)
    _, old = ring.signer("audit-root")
    add_key(tmp_path, "audit-root")
    (tmp_path / "audit-root.0001.key").unlink()
    pem = old.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "audit-root.0001.pub").write_bytes(pem)
    rotated = KeyRing.load(tmp_path)
    assert rotated.signer("audit-root")[0] == "0002"
    assert sorted(rotated.public_keys("audit-root")) == ["0001", "0002"]


def test_a_key_ring_never_prints_a_key(keys: KeyRing) -> None:
    _, secret = keys.secret("field")
    assert secret.hex() not in repr(keys) + str(vars(keys).keys())
