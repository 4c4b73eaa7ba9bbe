"""What still needs an older key is said, and nothing of it is overlooked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from healthbook.key_commands import key_lines, left_under, lines_of_older, reseal, retire_key
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing, Purpose, add_key
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen

SIGNED = ("Trần Một + Lê Hai", "thay khoá")


@pytest.fixture
async def owner(server: Server, database: str, tmp_path: Path) -> AsyncIterator[Store]:
    """With keys and files of its own."""
    keys = KeyRing.create(tmp_path / "keys", demo=True)
    blobs = FilesystemBlobs(tmp_path / "blobs", keys)
    opened = await open_store(server.dsn("hb_owner", database), role="hb_owner", keys=keys, blobs=blobs)
    yield opened
    await opened.close()


def change(store: Store, directory: Path, *purposes: Purpose) -> None:
    """As if the next keys had begun long ago."""
    for purpose in purposes:
        add_key(directory, purpose, SystemClock().now() - timedelta(days=365))
    store.keys.look()


async def test_s15_how_much_rests_under_an_older_key_is_said(
    owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    citizen, keys = await make_citizen(owner, clock), tmp_path / "keys"
    await owner.blobs.put(citizen.patient_id, b"%PDF-1.7 a")
    change(owner, keys, "pepper", "field", "qr")
    told = {line.split()[0]: line for line in await lines_of_older(owner, keys, lambda _: None)}
    assert "PINs and passwords rest under it until their owners sign in" in told["pepper"]
    assert "cells of citizen.demographics" in told["field"]
    assert "1 files lie under it" in told["field"]
    assert all("35 days" in told[purpose] for purpose in ("pepper", "field"))
    assert told["qr"].endswith("Nothing needs it.")
    assert "current" not in " ".join(told.values())
    assert len(key_lines(keys)) > len(told)


async def test_s15_a_key_stays_while_a_file_of_anybody_lies_under_it(
    owner: Store, clock: FrozenClock, tmp_path: Path
) -> None:
    """Also of an id that is nobody's: reseal finds files by their people."""
    keys, looked = tmp_path / "keys", list[int]()
    await owner.blobs.put(uuid4(), b"%PDF-1.7 a")
    change(owner, keys, "field")
    await reseal(owner, lambda _: None, SIGNED)
    said = r"1 files lie under it, the first is [0-9a-f]{32}/[0-9a-f]{32}\..* 35 days"
    with pytest.raises(StartError, match=said):
        await retire_key(owner, keys, "field", "0001", looked.append, SIGNED)
    assert looked == [1]
    assert (keys / "field.0001.key").exists()
    next(path for path in (tmp_path / "blobs").rglob("*") if path.is_file()).unlink()
    # What others left in this database, another ring's first key sealed.
    assert "files" not in " ".join(await left_under(owner, "field", "0001", looked.append, clock.now()))
