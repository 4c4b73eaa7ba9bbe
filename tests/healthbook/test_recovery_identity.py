"""A restored backup knows of no identity check under way: what was used since would be new again (S12)."""

from identity.verification.models import Proven, Verified
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.problems import Refused
from tests.healthbook.test_recovery import let_in
from tests.support import consent as steps
from tests.support.site import Site
from tests.support.verifying import Asking, begin, claim, come_back, opened_somewhere

NO = Refused(problem=VERIFICATION_REFUSED)


async def test_s12_a_verification_that_was_used_is_not_new_after_a_restore(site: Site) -> None:
    asking, opened, open_still = Asking(), opened_somewhere(site.clock), opened_somewhere(site.clock)
    person = Verified(level=2, number="001190000017", name="Nguyễn Thị Thử")
    store = site.own.store
    await begin(store, site.clock, opened, asking)
    await begin(store, site.clock, open_still, asking)
    receipt = await come_back(store, site.clock, opened.state, person)
    assert isinstance(receipt, str)
    citizen, _, grant_id = await let_in(site)
    await site.work(citizen.patient_id)
    copy = await site.backup()
    # The journal is ahead of the copy, which is how a restore is known.
    await steps.revoke(site.own.store, site.clock, citizen, grant_id)
    await site.work(citizen.patient_id)
    assert isinstance(await claim(site.own.store, site.clock, receipt, asking.kept), Proven)
    await site.restore(copy)
    site.clock.advance(minutes=1)
    assert await site.recover() is not None
    assert await claim(site.own.store, site.clock, receipt, asking.kept) == NO
    assert await come_back(site.own.store, site.clock, open_still.state, person) == NO
