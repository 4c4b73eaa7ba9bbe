"""A key that is made and certified while the signer runs is found without a new start (security.md S28)."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.clock import START
from vaccination.signer.authority import certify, make_authority, make_request
from vaccination.signer.key_files import SignerKeys, make_key


def test_s28_a_running_signer_finds_a_new_key(tmp_path: Path) -> None:
    make_key(tmp_path, "hc1", "ES256")
    running = SignerKeys.load(tmp_path)
    key_id = make_key(tmp_path, "hc1", "ES256")
    authority_key, authority = make_authority("Thử", START)
    request = make_request(SignerKeys.load(tmp_path).key(key_id), "Thử")
    certificate = certify(request, "hc1", authority, authority_key, START).public_bytes(Encoding.DER)
    assert running.holds(key_id, certificate)
    assert not running.holds("hc1.0001", certificate)
    assert len(running.sign(key_id, b"text")) == 64


def test_s28_a_broken_file_leaves_a_running_signer_with_its_keys(tmp_path: Path) -> None:
    key_id = make_key(tmp_path, "shc", "ES256")
    running = SignerKeys.load(tmp_path)
    (tmp_path / "shc.0002.key").write_text("half")
    (tmp_path / "shc.0002.key").chmod(0o600)
    assert not running.holds("shc.0002", b"")
    assert len(running.sign(key_id, b"text")) == 64
