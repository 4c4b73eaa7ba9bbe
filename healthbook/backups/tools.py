"""PostgreSQL's own tools, as hb_backup: they speak the replication protocol, which no driver of ours does."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from msgspec import Struct

from store.postgres_binaries import find_binaries
from store.postgres_user import die_with_parent

ROLE: Final = "hb_backup"
ANSWER_SECONDS_MAX: Final = 30.0
END_SECONDS_MAX: Final = 10.0
# A server that went without a word is noticed within a minute, not within the hours of the system's default.
_NOTICING: Final = "connect_timeout=30 keepalives_idle=20 keepalives_interval=10 keepalives_count=3"


class ToolError(Exception):
    """A tool of PostgreSQL failed. Its own words can quote rows and addresses (security.md S22).

    printed: what it wrote on standard output until then."""

    def __init__(self, text: str, printed: str = "") -> None:
        super().__init__(text)
        self.printed = printed


class Node(Struct, frozen=True):
    """A server that is copied. dsn holds a password: never log it."""

    name: str
    dsn: str


def with_host(dsn: str, host: str, port: int) -> str:
    """The same sign-in and database at another server."""
    parts = urlsplit(dsn)
    sign_in, at, _ = parts.netloc.rpartition("@")
    inside = f"[{host}]" if ":" in host else host
    asked = "&".join(
        word for word in parts.query.split("&") if not word.startswith(("host=", "port=", "hostaddr="))
    )
    return parts._replace(netloc=f"{sign_in}{at}{inside}:{port}", query=asked).geturl()


def environment_of(dsn: str) -> dict[str, str]:
    """The address as libpq's variables: arguments are seen by everybody on the host."""
    address = urlsplit(dsn)
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    told = {
        "PGHOST": asked.get("host") or address.hostname or "",
        "PGPORT": asked.get("port") or str(address.port or 5432),
        "PGUSER": unquote(address.username or ROLE),
        "PGPASSWORD": unquote(address.password or ""),
        "PGSSLMODE": asked.get("sslmode", ""),
        "PGSSLROOTCERT": asked.get("sslrootcert", ""),
        "PGAPPNAME": "healthbook backup",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return inherited | {name: value for name, value in told.items() if value}


def path_of(tool: str, directory: Path | None = None) -> Path:
    """Where a tool is: beside the PostgreSQL that the program brings or finds."""
    return (directory or find_binaries().directory) / tool


@asynccontextmanager
async def connected(node: Node) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection for short questions. A server that went without a word ends none by itself: each question
    has its bound. Raises asyncpg's errors, OSError, TimeoutError."""
    connection = await asyncpg.connect(
        node.dsn, timeout=ANSWER_SECONDS_MAX, command_timeout=ANSWER_SECONDS_MAX
    )
    try:
        yield connection
    finally:
        with suppress(TimeoutError):
            await connection.close(timeout=ANSWER_SECONDS_MAX)


async def begin(node: Node, tool: str, *told: str, pipe: bool = False) -> asyncio.subprocess.Process:
    """Start a tool against a server; its output is ours to read where `pipe`. It ends with us: one that
    outlived a kill would hold the slot."""
    parent = os.getpid()
    return await asyncio.create_subprocess_exec(
        path_of(tool),
        f"--dbname={_NOTICING}",
        "--no-password",
        *told,
        env=environment_of(node.dsn),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if pipe else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=lambda: die_with_parent(parent),
    )


async def end(process: asyncio.subprocess.Process) -> None:
    """Stop a tool as Ctrl-C does, and wait for it; one that hangs is killed."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()


def run(tool: str, *told: str, directory: Path | None = None) -> str:
    """Run a tool over files to its end; what it printed. Raises ToolError."""
    done = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [path_of(tool, directory), *told],
        env=os.environ | {"TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"{tool} failed ({done.returncode})", done.stdout)
    return done.stdout
