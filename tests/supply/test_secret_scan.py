"""The scan for secrets finds what it is there for; the whole repository is scanned by `make check`."""

from pathlib import Path

from tests.supply.locked import ROOT
from tests.supply.secret_scan import found_in, known, settings_of_baseline


def test_a_key_in_a_file_is_found(tmp_path: Path) -> None:
    """Made here in pieces, so that this file itself holds none."""
    place = tmp_path / "settings.py"
    begin = "-----BEGIN " + "PRIVATE KEY-----"
    place.write_text(f'PASSWORD = "{"hunter" + "2-correct-horse"}"\nKEY = """{begin}\n"""\n')
    kinds = {kind for _, kind, _ in found_in([str(place)], settings_of_baseline())}
    assert kinds == {"Private Key", "Secret Keyword"}


def test_the_baseline_names_files_that_exist_and_no_private_key_of_the_program() -> None:
    assert [name for name, _, _ in known() if not (ROOT / name).is_file()] == []
    assert [
        name for name, kind, _ in known() if kind == "Private Key" and not name.startswith("tests/")
    ] == []
