"""The end of an installation goes on where it was cut off."""

from pathlib import Path

import pytest

from healthbook.handover.ending import certify, destroy_keys, is_certified
from healthbook.settings import read_settings
from healthbook.wiring import StartError, load_keys
from store.key_life import destroy
from store.keys import KeyRing

DIGEST = "ab" * 32


def test_an_end_that_was_cut_off_among_its_keys_goes_on_to_its_certificate(tmp_path: Path) -> None:
    settings, to = read_settings({"HEALTHBOOK_DATA": str(tmp_path / "data")}), tmp_path / "hand-over"
    to.mkdir()
    keys = KeyRing.create(settings.keys, demo=False)
    (settings.data / "postgres").mkdir()
    assert not is_certified(settings, DIGEST)
    certify(settings, keys, DIGEST, {"tables": 3}, "Trần Một + Lê Hai")
    # The machine went down after the first key.
    destroy(settings.keys / "field.0001.key")
    with pytest.raises(StartError, match="no key for field"):
        load_keys(settings)
    assert is_certified(settings, DIGEST)
    with pytest.raises(StartError, match="another hand-over"):
        is_certified(settings, "cd" * 32)
    certificate = destroy_keys(settings, to)
    assert [path.name for path in settings.data.iterdir()] == [certificate.name]
    assert (settings.data / certificate.name).read_bytes() == certificate.read_bytes() != b""
