"""A sign-in that may not be what it signs in for: one sentence that names the setting, no trace."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from store.postgres import Server
from tests.support.service import environment, run_command_with


@pytest.mark.parametrize(
    ("command", "setting", "role"),
    [
        ("migrate", "DATABASE_OWNER_URL", "hb_owner"),
        ("worker", "DATABASE_DELIVERY_URL", "hb_delivery"),
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
