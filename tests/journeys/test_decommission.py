"""The end of an installation: everything handed over, then nothing left that anybody can read."""

import asyncio
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from click.testing import CliRunner, Result

from audit.roots.service import append_changed, mark_rooted, sign_root
from healthbook.backups.wal import SLOT
from healthbook.cli import main
from healthbook.handover.layout import digest_of, listed, read_signed
from kernel.clock import SystemClock
from store.blobs import FilesystemBlobs
from store.database import open_store
from store.keys import KeyRing
from store.postgres import Server, start_server
from store.sealing import make_identity, read_identities, unseal
from tests.support.service import run_command

SECOND = ("--operator", "Trần Một", "--with", "Lê Hai", "--reason", "chuyển cho Sở Y tế")


def secrets_in(directory: Path) -> list[bytes]:
    """Every key of the directory as it stands in its file, and as bytes."""
    texts = [path.read_bytes().strip() for path in directory.rglob("*.key")]
    raw = [bytes.fromhex(text.decode()) for text in texts if not text.startswith(b"-")]
    return texts + raw


def everything_under(*places: Path) -> bytes:
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files)


def command(place: Path, *arguments: str) -> Result:
    """A command of ours over a data directory, in this process."""
    return CliRunner().invoke(main, arguments, env={"HEALTHBOOK_DATA": str(place)})


def done(place: Path, *arguments: str) -> str:
    ran = command(place, *arguments)
    assert ran.exit_code == 0, ran.output
    return ran.output


def refused(place: Path, *arguments: str, code: int = 2) -> str:
    ran = command(place, *arguments)
    assert ran.exit_code == code, ran.output
    return ran.output


async def sign_a_root(place: Path, server: Server) -> None:
    """As the worker does every few minutes."""
    keys = KeyRing.load(place / "keys")
    blobs = FilesystemBlobs(place / "blobs", keys)
    store = await open_store(server.dsn("hb_api"), role="hb_api", keys=keys, blobs=blobs)
    try:
        now = SystemClock().now()
        async with store.transaction() as tx:
            heads = await append_changed(tx, keys, now)
            await sign_root(tx, keys, now)
        async with store.transaction() as tx:
            await mark_rooted(tx, heads)
    finally:
        await store.close()


def test_an_installation_is_handed_over_whole_and_nothing_of_it_can_be_read_afterwards(
    place: Path, tmp_path: Path
) -> None:
    server = start_server(place / "postgres")  # the commands find it running, and are quicker
    asyncio.run(sign_a_root(place, server))
    to, copy, identity = tmp_path / "hand-over", tmp_path / "old-disk", tmp_path / "receiver.txt"
    recipient, stranger = make_identity(identity), tmp_path / "stranger.txt"
    make_identity(stranger)
    two_people = ("--recipient", recipient, *SECOND)
    assert "decommission close" in refused(place, "decommission", "hand-over", str(to), *two_people)
    done(place, "decommission", "close", *SECOND)
    still = run_command(place, "serve", check=False)
    assert (still.returncode, b"was closed on" in still.stderr) == (2, True)
    handed = done(place, "decommission", "hand-over", str(to), *two_people)
    secrets = secrets_in(place / "keys")
    holds_everything(to, identity, json.loads((place / "demo.json").read_text()), secrets)
    check = ("decommission", "check", str(to), "--identity")
    checked = done(place, *check, str(identity))
    assert f"hand-over {digest_of(to)}" in checked
    receipt = checked.split()[-1]
    assert receipt not in handed, "the receiver alone can tell it"
    assert handed.splitlines()[-1] in checked, "both read the same thumbprint"
    assert "roots of the access log verified" in checked
    refused(place, *check, str(stranger), code=1)

    destroy = ("decommission", "destroy", str(to))
    one = next(to.rglob("rows.zip.age"))
    whole = one.read_bytes()
    one.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "was changed" in refused(place, *check, str(identity), code=1)
    assert "is not whole" in refused(place, *destroy, receipt, "--destroy-everything", *SECOND)
    one.write_bytes(whole)
    refused(place, *destroy, receipt, *SECOND)
    refused(place, *destroy, "00" * 16, "--destroy-everything", *SECOND)
    refused(place, *destroy, digest_of(to), "--destroy-everything", *SECOND)
    with backed_up(server):
        forgotten = refused(place, *destroy, receipt, "--destroy-everything", *SECOND)
    assert "HEALTHBOOK_BACKUP does not say where" in forgotten
    assert (place / "keys" / "field.0001.key").exists()

    server.stop()
    shutil.copytree(place, copy, ignore=shutil.ignore_patterns("keys", "signer", "postgres", "*.sock"))
    refused(place, "decommission", "prove", code=1)
    done(place, *destroy, receipt, "--destroy-everything", *SECOND)
    assert [path.name for path in place.iterdir()] == ["destroyed.jws"]
    lines = done(place, "decommission", "prove", str(copy)).splitlines()
    kept = [line.split() for line in lines if line.startswith("encrypted files") and "old-disk" in line]
    assert int(kept[0][2]) >= 1, "the old disk holds files, and nobody opens them"
    assert all(line.split(" found ")[1].split()[0] == "0" for line in lines)
    left = everything_under(place, copy)
    assert [one for one in secrets if one in left] == []
    for name in ("serve", "demo"):
        assert "handed over and destroyed" in refused(place, name)
    done(place, *check, str(identity))


@contextmanager
def backed_up(server: Server) -> Iterator[None]:
    """As `backup run` leaves a server, wherever the copies are."""

    async def ask(text: str) -> None:
        connection = await asyncpg.connect(server.dsn("hb_backup"))
        await connection.execute(text)
        await connection.close()

    asyncio.run(ask(f"SELECT pg_create_physical_replication_slot('{SLOT}', true)"))
    yield
    asyncio.run(ask(f"SELECT pg_drop_replication_slot('{SLOT}')"))


def holds_everything(to: Path, identity: Path, sheet: dict[str, Any], secrets: list[bytes]) -> None:
    """The receiver finds people, records, files and logs, and nothing that opens a door here."""
    said, _ = read_signed(to)
    assert said.people >= len(sheet["citizens"])
    assert said.blobs >= 1
    for table, rows in (("ehr_resource", 100), ("access_log", 10), ("audit_root", 1), ("admin_event", 1)):
        assert said.rows[table] >= rows, table
    identities = read_identities(identity)
    opened = [unseal((to / one.name).read_bytes(), identities) for one in listed(to, said)]
    assert any(b"%PDF" in body or b"\x89PNG" in body for body in opened)
    texts = [body if not body.startswith(b"PK") else unpacked(body) for body in opened]
    clear = b"\n".join(texts)
    assert sheet["citizens"][0]["name"].encode() in clear
    assert [one for one in secrets if one in clear] == []
    for words in (b"$argon2id$", b"hotp_secret", b"password_hash", b'"unreadable"'):
        assert words not in clear, words


def unpacked(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return b"\n".join(opened.read(name) for name in opened.namelist())
