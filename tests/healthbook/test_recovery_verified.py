"""What the offline verifier says of a log after a real restore (security.md S12, S25)."""

from audit.export import Verdict, read_export, verify_export
from audit.roots.models import AuditRoots, Pin
from tests.api.test_log_proofs import EXPORT, act, get, root, roots_of
from tests.healthbook.test_recovery_ended import comes_back, here_again
from tests.support.people import Citizen, make_citizen
from tests.support.site import Site


async def judged(site: Site, citizen: Citizen, pin: Pin | None, roots: AuditRoots) -> Verdict:
    exported = await get(site.own.store, site.clock, EXPORT, citizen)
    assert exported.status_code == 200, exported.text
    return verify_export(read_export([exported.content]), pin, [roots])


async def test_s12_the_verifier_names_the_exact_gap_of_a_real_restore(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    await act(site.own.store, clock, citizen, 3)
    await root(site.own.store, clock)
    before_backup = await roots_of(site.own.store, clock)
    copy = await site.backup()
    clock.advance(minutes=1)
    await act(site.own.store, clock, citizen, 4)
    await root(site.own.store, clock)
    of_the_lost = await roots_of(site.own.store, clock)
    kept = await judged(site, citizen, None, of_the_lost)
    assert (kept.broken, kept.gaps) == (None, [])
    assert kept.pin is not None
    # Rows 1 to 3 were in the backup, 4 to 7 were lost with what came after it.
    assert kept.pin.seq == 7
    await comes_back(site, copy, citizen.patient_id)
    restored_at = clock.now()
    await here_again(site, citizen)
    await act(site.own.store, clock, citizen, 2)
    await root(site.own.store, clock)
    verdict = await judged(site, citizen, kept.pin, await roots_of(site.own.store, clock))
    (gap,) = verdict.gaps
    assert (gap.first, gap.last) == (4, 7)
    assert gap.since is not None
    assert gap.since < gap.until <= restored_at
    assert verdict.broken is None, verdict.broken
    # Roots that were published before the backup are what the later ones go on from.
    numbers = [one.root.number for one in (await roots_of(site.own.store, clock)).roots]
    assert numbers[: len(before_backup.roots)] == [one.root.number for one in before_backup.roots]
    # Who still holds a root of the time that was lost is told that it is not among them, with the gap.
    held = await judged(site, citizen, kept.pin, of_the_lost)
    assert [(one.first, one.last) for one in held.gaps] == [(4, 7)]
    assert held.broken is not None


async def test_s25_a_log_that_was_cut_without_a_restores_mark_is_no_gap(site: Site) -> None:
    clock = site.clock
    citizen = await make_citizen(site.own.store, clock)
    await act(site.own.store, clock, citizen, 2)
    copy = await site.backup()
    await act(site.own.store, clock, citizen, 4)
    await root(site.own.store, clock)
    kept = await judged(site, citizen, None, await roots_of(site.own.store, clock))
    await site.restore(copy)
    await act(site.own.store, clock, citizen, 1)
    await root(site.own.store, clock)
    verdict = await judged(site, citizen, kept.pin, await roots_of(site.own.store, clock))
    assert verdict.gaps == []
    assert verdict.broken is not None
