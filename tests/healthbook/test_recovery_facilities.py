"""What a facility ended or used up after the backup stays so in the restored database (security.md S12)."""

from identity import practitioners
from identity.clients import service as clients
from identity.facility_admin import activation
from identity.practitioners import InitialSecrets
from kernel.problems import ProblemError, Refused
from tests.healthbook.test_recovery_ended import comes_back
from tests.support.http import client_of
from tests.support.people import Machine, make_facility, make_machine
from tests.support.site import Site


async def _sign_in(site: Site, machine: Machine, secret: str) -> int:
    body = {
        "grant_type": "client_credentials",
        "client_id": str(machine.client_id),
        "client_secret": secret,
    }
    async with client_of(site.own.store, site.clock) as client:
        return (await client.post("/v1/auth/token", json=body)).status_code


async def test_s12_a_machine_that_was_ended_stays_ended(site: Site) -> None:
    store, clock = site.own.store, site.clock
    facility = await make_facility(store, clock)
    ended, kept = await make_machine(store, clock, facility), await make_machine(store, clock, facility)
    copy = await site.backup()
    async with site.own.store.transaction() as tx:
        assert await clients.end(tx, facility.facility_id, ended.client_id, clock.now())
    await comes_back(site, copy, ended.client_id)
    assert await _sign_in(site, ended, ended.client_secret) == 401
    assert await _sign_in(site, kept, kept.client_secret) == 200


async def test_s12_a_secret_that_was_replaced_opens_nothing_again(site: Site) -> None:
    """The newer one went with the lost time: another one is made."""
    store, clock = site.own.store, site.clock
    facility = await make_facility(store, clock)
    machine = await make_machine(store, clock, facility)
    copy = await site.backup()
    async with site.own.store.transaction() as tx:
        renewed = await clients.renew(tx, facility.facility_id, machine.client_id, clock.now())
    assert renewed is not None
    await comes_back(site, copy, machine.client_id)
    for secret in (machine.client_secret, renewed.client_secret):
        assert await _sign_in(site, machine, secret) == 401
    async with site.own.store.transaction() as tx:
        another = await clients.renew(tx, facility.facility_id, machine.client_id, clock.now())
    assert another is not None
    assert await _sign_in(site, machine, another.client_secret) == 200


async def _redeem(site: Site, code: str) -> InitialSecrets | str:
    store, now = site.own.store, site.clock.now()
    async with store.transaction() as tx:
        opened = await activation.look_at(tx, code, "192.0.2.0/24", now)
    if isinstance(opened, Refused):
        return opened.problem.code
    prepared = await practitioners.prepare_credential(store.keys, now)
    try:
        async with store.transaction() as tx:
            return await activation.redeem(tx, store.keys, code, "Nguyễn Quản Trị", prepared, now)
    except ProblemError as error:
        return error.refused.problem.code


async def test_s12_a_facilitys_code_that_was_used_makes_no_second_administrator(site: Site) -> None:
    store, clock = site.own.store, site.clock
    facility, other = await make_facility(store, clock), await make_facility(store, clock)
    async with store.transaction() as tx:
        used = await activation.issue(tx, facility.facility_id, clock.now())
        waiting = await activation.issue(tx, other.facility_id, clock.now())
    copy = await site.backup()
    clock.advance(minutes=1)
    assert isinstance(await _redeem(site, used.code), InitialSecrets)
    await comes_back(site, copy, facility.facility_id)
    assert await _redeem(site, used.code) == "facility-code-refused"
    assert isinstance(await _redeem(site, waiting.code), InitialSecrets), "slips in the post still count"
    async with site.own.store.transaction() as tx:
        fresh = await activation.issue(tx, facility.facility_id, clock.now())
    assert isinstance(await _redeem(site, fresh.code), InitialSecrets)
