"""One real FHIR server for the tests of the remote core, and a proxy of ours that spoils its answers."""

from collections.abc import AsyncIterator, Iterator

import pytest

from ehr.core.fhir_http import CoreAddress, FhirCore
from tests.support.clock import FrozenClock
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.fhir_core import TOKEN, Peer, long_budgets, running_peer


@pytest.fixture(autouse=True)
def _budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    long_budgets(monkeypatch)


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with running_peer(tmp_path_factory.mktemp("peer")) as running:
        yield running


@pytest.fixture
async def proxy(peer: Peer) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(peer.base) as running:
        yield running


@pytest.fixture
async def core(proxy: FaultProxy, clock: FrozenClock) -> AsyncIterator[FhirCore]:
    made = FhirCore(CoreAddress(proxy.base, "core:main", "Bệnh viện Lõi", TOKEN), clock)
    yield made
    await made.close()
