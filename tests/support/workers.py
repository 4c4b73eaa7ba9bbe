"""Workers in processes of their own over a test's database, ended with kill -9 and started again."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from store.postgres import Server

PUSH_ENTRY = [sys.executable, "-m", "tests.support.worker_at_local_push"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Workers:
    """Some worker processes. settings: their environment; log: what all of them say."""

    settings: dict[str, str]
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        with open(self.log, "ab") as sink:
            self.running.append(
                subprocess.Popen(PUSH_ENTRY, env=self.settings, cwd=ROOT, stdout=sink, stderr=sink)
            )

    def check(self) -> None:
        """Nobody ends by itself."""
        assert all(one.poll() is None for one in self.running), self.log.read_text()[-2000:]

    def kill_oldest(self) -> None:
        """kill -9 of the one that runs longest, whatever it is at."""
        self.check()
        process = self.running.pop(0)
        process.kill()
        process.wait(30)

    def kill_all(self) -> None:
        for process in self.running:
            process.kill()
            process.wait(30)
        self.running.clear()


def settings_over(server: Server, database: str, directory: Path, **more: str) -> dict[str, str]:
    """The environment of a worker over that database, with keys in `directory`/keys."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HEALTHBOOK_", "DATABASE_", "FCM_", "SMS_"))
    }
    return kept | {
        "HEALTHBOOK_DATA": str(directory / "data"),
        "HEALTHBOOK_KEYS": str(directory / "keys"),
        "DATABASE_URL": server.dsn("hb_api", database),
        "DATABASE_OWNER_URL": server.dsn("hb_owner", database),
        "DATABASE_DELIVERY_URL": server.dsn("hb_delivery", database),
        **more,
    }
