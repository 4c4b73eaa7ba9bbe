"""The signer, for whatever is signed in these tests."""

from collections.abc import AsyncIterator

import pytest

from store.database import Store
from store.postgres import Server
from tests.support.clock import FrozenClock
from tests.support.signing_process import RunningSigner, running_signer


@pytest.fixture
async def signer(
    server: Server, database: str, owner: Store, clock: FrozenClock
) -> AsyncIterator[RunningSigner]:
    """On the module's database, at the test's clock; a clock that moved half a year needs a new one."""
    async with running_signer(server, database, owner, clock) as running:
        yield running
