"""A certificate that was given up is signed by nobody any more: nothing would revoke it (security.md S28)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from kernel.problems import Refused
from store.database import Store
from tests.support.certifying import covid, days_ago, issued, make_station, send
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_citizen
from tests.support.record import our_id, own
from tests.support.signing_process import RunningSigner
from vaccination.certificates import issuing
from vaccination.certificates.issuing import SIGNING_LIFE, ToSign
from vaccination.certificates.reading import judged_of
from vaccination.signer.ports import SignerError


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def test_s28_the_signer_signs_no_certificate_that_another_one_took_the_place_of(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, signer: RunningSigner
) -> None:
    who, station = await make_citizen(store, clock), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3)))
    dose = our_id(station.name, "d")
    async with store.transaction() as tx:
        judged = await judged_of(tx, own(who.patient_id), dose, clock.now())
        assert not isinstance(judged, Refused)
        first = await issuing.begin(tx, store.keys, who.patient_id, judged, clock.now())
    assert isinstance(first, ToSign)
    clock.advance(seconds=SIGNING_LIFE.total_seconds() + 1)
    await issued(client, who.token, dose)
    with pytest.raises(SignerError, match="given-up"):
        await signer.sign(first.issuance_id, first.patient_id, first.signer_id, "cose", first.data)
