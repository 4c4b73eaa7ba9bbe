"""What `healthbook doctor` finds (security.md S12, S15, S22)."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from audit.protection.service import PROTECTION_LIFE, protect
from healthbook.doctor import (
    LOG_SETTINGS,
    ending_protections,
    journal_faults,
    log_faults,
    lying_together,
)
from healthbook.settings import read_settings
from kernel.ids import uuid7
from store.database import Store
from store.journal import Mark, position_of
from store.journal_files import DirectoryJournal
from tests.support.clock import FrozenClock


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


async def test_s27_a_protection_that_ends_within_a_month_is_told_until_it_is_renewed(
    fresh_store: Store, clock: FrozenClock
) -> None:
    somebody, begun = uuid7(clock.now()), clock.now()
    late = begun + PROTECTION_LIFE - timedelta(days=29)
    async with fresh_store.transaction() as tx:
        await protect(tx, somebody, begun)
        assert await ending_protections(tx, late - timedelta(days=2)) == []
        (fault,) = await ending_protections(tx, late)
        assert str(somebody) in fault
        await protect(tx, somebody, late)
        assert await ending_protections(tx, late) == []
