"""`healthbook medicine-safety load`, as an operator runs it."""

from pathlib import Path

from tests.healthbook.conftest import run_command
from tests.healthbook.test_cli import SIGNED, events
from tests.support.medicines import PAIRS


async def test_a_table_is_loaded_by_name_and_a_wrong_file_loads_nothing(
    installation: Path, tmp_path: Path
) -> None:
    good, wrong = tmp_path / "pairs.csv", tmp_path / "wrong.csv"
    good.write_text(PAIRS)
    wrong.write_text(PAIRS.replace("major", "mild"))
    load = ("medicine-safety", "load")
    assert run_command(installation, *load, str(good)).returncode == 2
    refused = run_command(installation, *load, str(wrong), *SIGNED)
    assert refused.returncode == 2
    assert "line 2" in refused.stderr
    assert "Nothing was loaded" in refused.stderr
    done = run_command(installation, *load, str(good), *SIGNED)
    assert (done.returncode, done.stdout) == (0, "pairs stand-in 1: 2 lines, loaded\n"), done.stderr
    again = run_command(installation, *load, str(good), *SIGNED)
    assert "was loaded before" in again.stdout
    written = [row for row in await events(installation) if "medicine-safety:load:pairs" in row]
    assert len(written) == 2
    assert not [row for row in written if "Alphazin" in row]
