"""A sign-in that may not be what it signs in for: one sentence that names the setting, no trace."""

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from healthbook.serve import SIGNER_AGAIN_SECONDS, run_signer
from healthbook.settings import read_settings
from healthbook.wiring import Place
from store.postgres import Server
from tests.support.service import environment, run_command_with


@pytest.mark.parametrize(
    ("command", "setting", "role"),
    [
        ("migrate", "DATABASE_OWNER_URL", "hb_owner"),
        ("worker", "DATABASE_DELIVERY_URL", "hb_delivery"),
        ("signer", "DATABASE_SIGNER_URL", "hb_signer"),
    ],
)
async def test_a_sign_in_that_may_not_take_its_role_is_named(
    place: Path,
    server: Server,
    make_database: Callable[[], Awaitable[str]],
    command: str,
    setting: str,
    role: str,
) -> None:
    name = await make_database()
    done = run_command_with(environment(place, DATABASE_URL=server.dsn("hb_api", name)), command)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert f"Check {setting} (unset: DATABASE_URL): it signs in as {role} or as a member of it." in said
    assert "Traceback" not in said


@pytest.fixture
def own_log() -> Iterator[None]:
    """What runs here is a process of its own elsewhere, and sets its log up for good."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("own_log")
def test_the_signer_of_serve_says_so_and_waits_before_the_next_try(
    place: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    settings = read_settings({"HEALTHBOOK_DATA": str(place), "DATABASE_URL": server.dsn("hb_api")})
    run_signer(Place(settings, None))
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("No certificate is signed. The database cannot be used")
    assert "DATABASE_SIGNER_URL" in said
    assert waited == [SIGNER_AGAIN_SECONDS]
