"""What `healthbook doctor` finds (security.md S12, S15, S22)."""

from pathlib import Path

import msgspec
import pytest

from healthbook.doctor import LOG_SETTINGS, journal_faults, log_faults, lying_together
from healthbook.settings import read_settings
from store.database import Store
from store.journal import Mark, position_of
from store.journal_files import DirectoryJournal


def test_s15_keys_and_journal_beside_the_data_are_told(tmp_path: Path) -> None:
    data = {"HEALTHBOOK_DATA": str(tmp_path / "data")}
    assert len(lying_together(read_settings(data), demo=False)) == 2
    assert lying_together(read_settings(data), demo=True) == []
    apart = {"HEALTHBOOK_KEYS": str(tmp_path / "keys"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    assert lying_together(read_settings(data | apart), demo=False) == []
    bucket = {"HEALTHBOOK_JOURNAL": "s3://acts", "S3_ENDPOINT": "http://127.0.0.1:9", "S3_BUCKET": "health"}
    assert lying_together(read_settings(data | apart | bucket), demo=False) == []


async def test_s22_our_own_server_has_nothing_to_mend(store: Store) -> None:
    async with store.transaction() as tx:
        assert await log_faults(tx) == []


@pytest.mark.parametrize("name", ["log_error_verbosity", "log_statement"])
async def test_s22_a_server_that_is_set_otherwise_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(LOG_SETTINGS, name, "other")
    async with store.transaction() as tx:
        faults = await log_faults(tx)
    assert [name in fault for fault in faults] == [True]


async def test_s12_a_restored_database_is_told_as_serve_tells_it(store: Store, tmp_path: Path) -> None:
    place = {"HEALTHBOOK_DATA": str(tmp_path / "data"), "HEALTHBOOK_JOURNAL": str(tmp_path / "journal")}
    async with store.transaction() as tx:
        later = (await position_of(tx)).seq + 1
        await DirectoryJournal(tmp_path / "journal").set_mark(
            msgspec.json.encode(Mark(beat=later, seq=later))
        )
        (fault,) = await journal_faults(tx, read_settings(place))
    assert "restored from a backup" in fault
    assert "healthbook admin recover" in fault
