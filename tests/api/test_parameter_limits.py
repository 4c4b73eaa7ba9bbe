"""What stands in an address is bounded, whether or not the parameter declares a limit of its own."""

import httpx
import pytest

from api.request import PARAMETER_MAX
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/v1/articles/{}", 404, "not-found"),
        ("/v1/public/certificates/revocations/AAAAAAAAAAA?after={}", 400, "invalid-field"),
    ],
)
async def test_a_long_parameter_is_refused(
    store: Store, clock: FrozenClock, address: str, status: int, code: str
) -> None:
    async with client_of(store, clock) as client:
        answered: httpx.Response = await client.get(address.format("a" * (PARAMETER_MAX + 1)))
    assert (answered.status_code, answered.json()["code"]) == (status, code)
