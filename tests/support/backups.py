"""`healthbook backup` and `restore` as an operator runs them, and what a restored database is compared by."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from healthbook.backups.layout import NodeStatus
from healthbook.backups.queries import TABLES
from store.sealing import make_identity

SIGNED = ("--operator", "Nguyễn Vận Hành", "--reason", "diễn tập khôi phục")
SAFE_SECONDS_MAX = 90
# `restore` that was killed before it recovered what it had put back.
BRING_BACK = (
    "import sys; from pathlib import Path; from datetime import datetime;"
    "from healthbook.backups.restoring import Wish, bring_back;"
    "from healthbook.settings import read_settings;"
    "wish = Wish(identity=Path(sys.argv[1]),"
    " to=datetime.fromisoformat(sys.argv[2]) if sys.argv[2:] else None);"
    "bring_back(read_settings(), wish, print)"
)
# Of every table a digest over its rows and how many there are.
Contents = dict[str, tuple[str | None, int]]
_CONTENT = "SELECT md5(string_agg(h, '' ORDER BY h)), count(*) FROM (SELECT md5(t::text) h FROM {} t) s"


@dataclass
class Backups:
    """A repository with its identity, and the `backup run` that fills it. settings: of the installation."""

    root: Path
    settings: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    identity: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.identity = self.root / "identity"
        if not self.identity.exists():
            make_identity(self.identity)
        recipient = self.identity.read_text().split()[3]
        self.settings = self.settings | {
            "HEALTHBOOK_BACKUP": str(self.root / "repository"),
            "HEALTHBOOK_BACKUP_RECIPIENTS": recipient,
        }

    def start(self) -> None:
        with open(self.root / "run.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "healthbook", "backup", "run"],
                env=self.settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(60)

    def command(self, *words: str, code: int = 0, **more: str) -> str:
        """Any command of ours to its end; what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "healthbook", *words],
            env=self.settings | more,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def restore(self, *words: str, code: int = 0, **more: str) -> str:
        return self.command("restore", "--identity", str(self.identity), *words, *SIGNED, code=code, **more)

    @property
    def safe_until(self) -> datetime | None:
        """As the repository says."""
        path = self.root / "repository" / "nodes" / "n0.json"
        return msgspec.json.decode(path.read_bytes(), type=NodeStatus).safe_until if path.exists() else None

    def has_base(self) -> bool:
        return any((self.root / "repository").glob("n0/base/*/manifest.json"))

    def wait_until_safe(self, at: datetime | None = None) -> None:
        """Until everything of before an instant (now) and one whole copy lie in the repository."""
        wanted, deadline = at or datetime.now(UTC), time.monotonic() + SAFE_SECONDS_MAX
        while not self.has_base() or (self.safe_until or datetime.min.replace(tzinfo=UTC)) < wanted:
            assert time.monotonic() < deadline, (self.root / "run.log").read_text()[-2000:]
            assert self.process is None or self.process.poll() is None, (self.root / "run.log").read_text()
            time.sleep(0.05)


async def contents(dsn: str) -> Contents:
    """What two databases are compared by, as an owner or a backup may read it."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await TABLES.all(connection)
        return {table: tuple(await connection.fetchrow(_CONTENT.format(f'"{table}"'))) for table in tables}
    finally:
        await connection.close()
