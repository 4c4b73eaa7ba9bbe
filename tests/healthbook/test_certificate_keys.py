"""From an authority to a signature by the commands that operators type, and the signer as a process."""

import asyncio
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from audit.chain import canonical, digest
from audit.policy import utc_text
from kernel.clock import SystemClock
from kernel.ids import uuid7
from store.postgres import Server, start_server
from tests.support.dcc import certificate_bytes
from tests.support.service import COMMAND, environment, run_command_with
from vaccination.signer import queries
from vaccination.signer.client import SocketSigner
from vaccination.signer.issuances import open_issuance
from vaccination.signer.keys import current_signer
from vaccination.signer.models import SigningEntry
from vaccination.signer.ports import SignerError

SIGNED = ("--operator", "Nguyễn Văn Vận Hành", "--with", "Trần Thị Hai", "--reason", "khóa ký đầu tiên")
WAIT_SECONDS_MAX = 30
STRAY = UUID(int=5)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A real installation with its tables, keys apart, and one signing key in use."""
    directory = tmp_path_factory.mktemp("place")
    ours = environment(
        directory / "data",
        HEALTHBOOK_KEYS=str(directory / "keys"),
        HEALTHBOOK_JOURNAL=str(directory / "journal"),
        HEALTHBOOK_SIGNER_KEYS=str(directory / "signer"),
    )
    run(ours, "admin", "make-keys", str(directory / "keys"))
    run(ours, "migrate")
    run(ours, "certificates", "keys", "make-authority", str(directory / "authority"))
    assert run(ours, "certificates", "keys", "make", "hc1").startswith("key hc1.0001 made")
    certify(ours, "hc1.0001")
    enrol(ours, "hc1.0001")
    return ours


@pytest.fixture
def running(place: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The signer alone. It finds no key of the service: in production they lie with another account."""
    apart = place | {"HEALTHBOOK_KEYS": place["HEALTHBOOK_KEYS"] + ".nowhere"}
    process = subprocess.Popen([*COMMAND, "signer"], env=apart, stderr=subprocess.PIPE)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not socket_of(place).exists():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_SECONDS_MAX) == 0


def run(settings: dict[str, str], *arguments: str, exit_code: int = 0) -> str:
    done = run_command_with(settings, *arguments)
    assert done.returncode == exit_code, (arguments, done.stderr.decode())
    return (done.stdout if exit_code == 0 else done.stderr).decode()


def certify(settings: dict[str, str], key: str) -> None:
    signer = Path(settings["HEALTHBOOK_SIGNER_KEYS"])
    authority = signer.parent / "authority"
    request, out = str(signer / f"{key}.csr"), str(signer.parent / f"{key}.pem")
    run(settings, "certificates", "keys", "certify", request, "--authority", str(authority), "--out", out)


def enrol(settings: dict[str, str], key: str, *more: str, exit_code: int = 0) -> str:
    beside = Path(settings["HEALTHBOOK_SIGNER_KEYS"]).parent
    files = (str(beside / f"{key}.pem"), str(beside / "authority" / "authority.pem"))
    return run(settings, "certificates", "keys", "enrol", key, *files, *(more or SIGNED), exit_code=exit_code)


def socket_of(settings: dict[str, str]) -> Path:
    return Path(settings["HEALTHBOOK_DATA"]) / "signer.sock"


async def ask(server: Server, settings: dict[str, str]) -> bytes:
    """A signature by way of the database and the socket, as the service asks for one."""
    now = SystemClock().now()
    connection = await asyncpg.connect(server.dsn("hb_api"))
    try:
        signer = await current_signer(connection, "hc1", now)
        assert signer is not None
        data, person = certificate_bytes(signer, now), uuid7(now)
        issuance = await open_issuance(connection, person, signer, data, now)
    finally:
        await connection.close()
    return await SocketSigner(socket_of(settings)).sign(issuance, person, signer.key_id, "cose", data)


async def events(server: Server) -> list[str]:
    connection = await asyncpg.connect(server.dsn("hb_owner"))
    rows = await connection.fetch(
        "SELECT entry::json ->> 'what' || ' ' || (entry::json ->> 'operator') FROM admin_event"
        " WHERE entry::json ->> 'what' LIKE 'certificates:%' ORDER BY seq"
    )
    await connection.close()
    return [row[0] for row in rows]


def with_server(settings: dict[str, str]) -> Server:
    return start_server(Path(settings["HEALTHBOOK_DATA"]) / "postgres")


def test_the_process_signs_what_has_a_row_and_stops_on_request(
    place: dict[str, str], running: "subprocess.Popen[bytes]"
) -> None:
    server = with_server(place)
    try:
        assert len(asyncio.run(ask(server, place))) == 64
        nobody = UUID(int=1)
        with pytest.raises(SignerError, match="unknown-key"):
            asyncio.run(SocketSigner(socket_of(place)).sign(nobody, nobody, "hc1.0009", "cose", b""))
    finally:
        server.stop()
    assert stat.S_IMODE(socket_of(place).stat().st_mode) == 0o660


def test_what_was_signed_is_reconciled_and_a_stray_is_said(place: dict[str, str]) -> None:
    assert run(place, "certificates", "keys", "reconcile").startswith("0 signatures")
    server = with_server(place)

    async def stray() -> None:
        connection = await asyncpg.connect(server.dsn("hb_signer"))
        now = SystemClock().now()
        said = SigningEntry(at=utc_text(now), issuance=STRAY, key="hc1.0001", sha256="00" * 32)
        entry = canonical(said)
        earlier = now - timedelta(minutes=5)
        await queries.APPEND.one(connection, digest(entry), earlier, STRAY, entry.decode())
        await connection.close()

    try:
        asyncio.run(stray())
        told = run_command_with(place, "certificates", "keys", "reconcile")
        assert told.returncode == 1
        assert f"no-row: issuance {STRAY}" in told.stdout.decode()
    finally:
        server.stop()


def test_keys_are_listed_budgeted_and_retired_by_two_people(place: dict[str, str]) -> None:
    run(place, "certificates", "keys", "make", "hc1", "--alg", "PS256")
    certify(place, "hc1.0002")
    alone = ("--operator", "Nguyễn Văn Vận Hành", "--reason", "khóa thứ hai")
    assert "two people" in enrol(place, "hc1.0002", *alone, exit_code=2)
    enrol(place, "hc1.0002", *SIGNED, "--budget", "7")
    run(place, "certificates", "keys", "budget", "hc1.0002", "9", *SIGNED)
    run(place, "certificates", "keys", "retire", "hc1.0002", *SIGNED)
    listed = run(place, "certificates", "keys", "list").splitlines()
    assert [line.split()[:2] for line in listed] == [["hc1.0001", "ES256"], ["hc1.0002", "PS256"]]
    assert "signs until" in listed[0]
    assert "retired" in listed[1]
    assert listed[1].endswith("9 a day")
    server = with_server(place)
    try:
        assert asyncio.run(events(server))[-3:] == [
            f"certificates:{what}-hc1.0002 Nguyễn Văn Vận Hành + Trần Thị Hai"
            for what in ("enrol", "budget", "retire")
        ]
    finally:
        server.stop()


def test_a_stolen_key_is_revoked_by_two_people_and_for_good(place: dict[str, str]) -> None:
    run(place, "certificates", "keys", "make", "hc1")
    certify(place, "hc1.0003")
    enrol(place, "hc1.0003")
    revoke = ("certificates", "keys", "revoke", "hc1.0003")
    assert "two people" in run(place, *revoke, *SIGNED[:2], *SIGNED[4:], exit_code=2)
    assert "is revoked" in run(place, *revoke, *SIGNED)
    assert "who hold something: 0" in run(place, *revoke, *SIGNED), "where it was stopped"
    assert "No key hc1.0003 is in use" in run(
        place, "certificates", "keys", "retire", "hc1.0003", *SIGNED, exit_code=2
    )
    line = run(place, "certificates", "keys", "list").splitlines()[-1]
    assert line.startswith("hc1.0003")
    assert ", counts no more" in line
    server = with_server(place)
    try:
        said = asyncio.run(events(server))[-1]
        assert said == "certificates:revoke-key-hc1.0003 Nguyễn Văn Vận Hành + Trần Thị Hai"
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("keys", "make", "shc", "--alg", "PS256"), "ES256 alone"),
        (("keys", "retire", "hc1.0099", *SIGNED), "No key hc1.0099"),
        (("keys", "revoke", "hc1.0099", *SIGNED), "no key hc1.0099"),
        (("keys", "budget", "hc1.0099", "5", *SIGNED), "no key hc1.0099"),
    ],
)
def test_what_cannot_be_done_is_said(place: dict[str, str], arguments: tuple[str, ...], told: str) -> None:
    assert told in run(place, "certificates", *arguments, exit_code=2)


def test_a_certificate_is_enrolled_for_its_own_kind_alone(place: dict[str, str]) -> None:
    """Twice, of another authority, or what is no certificate."""
    beside = Path(place["HEALTHBOOK_SIGNER_KEYS"]).parent
    assert "in use already" in enrol(place, "hc1.0001", exit_code=2)
    run(place, "certificates", "keys", "make-authority", str(beside / "other"))
    mine, other = str(beside / "hc1.0001.pem"), str(beside / "other" / "authority.pem")
    enrolled = ("certificates", "keys", "enrol", "hc1.0007")
    assert "not issued by this authority" in run(place, *enrolled, mine, other, *SIGNED, exit_code=2)
    assert "PEM" in run(
        place, *enrolled, str(beside / "signer" / "hc1.0001.csr"), other, *SIGNED, exit_code=2
    )
    own = ("certificates", "keys", "make-authority", str(beside / "other"))
    assert "never overwritten" in run(place, *own, exit_code=2)


def test_without_keys_the_signer_says_so(place: dict[str, str], tmp_path: Path) -> None:
    nowhere = place | {"HEALTHBOOK_SIGNER_KEYS": str(tmp_path / "none")}
    assert "certificates keys make" in run(nowhere, "signer", exit_code=2)


def test_a_key_that_is_open_to_others_is_refused(place: dict[str, str]) -> None:
    key = Path(place["HEALTHBOOK_SIGNER_KEYS"]) / "hc1.0001.key"
    key.chmod(0o644)
    try:
        assert "open to others" in run(place, "signer", exit_code=2)
    finally:
        key.chmod(0o600)


def test_a_demos_keys_sign_for_no_real_database(place: dict[str, str]) -> None:
    mark = Path(place["HEALTHBOOK_SIGNER_KEYS"]) / "demo"
    mark.write_text("")
    try:
        assert "a demo's keys" in run(place, "signer", exit_code=2)
    finally:
        mark.unlink()
