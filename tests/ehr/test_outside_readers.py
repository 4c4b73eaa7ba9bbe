"""What an app or a partner reads: nothing that is hidden from anybody, nothing of a visit of a sensitive
department, no result before its person sees it."""

from uuid import UUID

from ehr.visibility.models import FAMILY
from kernel.access import Access, Label
from store.database import Store
from tests.ehr.test_hidings import hide
from tests.ehr.test_redaction import bare, coded, everything
from tests.support.clock import FrozenClock
from tests.support.record import granted, our_id, write

SOMEBODY = UUID(int=8)


def partner(person: UUID) -> Access:
    return granted(person, basis="partner", withheld=Label.NONE)


async def test_s23_what_is_hidden_from_anybody_does_not_exist_for_an_app(
    store: Store, clock: FrozenClock
) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [coded("Observation", "kept", "K", "2026-11-02")], now)
    before = await everything(store, partner(person), now)
    for number, reader in enumerate((None, FAMILY, SOMEBODY)):
        # Never the day of another hidden one: a result of the same test and time goes with it as its copy.
        visit, day = {"encounter": {"reference": f"Encounter/v{number}"}}, f"2026-11-0{number + 3}"
        await write(store, person, [coded("Encounter", f"v{number}", "V", f"{day}T08:00:00Z")], now)
        await write(store, person, [coded("Observation", f"x{number}", "X", day, **visit)], now)
        assert await everything(store, partner(person), now) != before
        await hide(store, person, "Encounter", our_id("a", f"v{number}"), now, reader)
        assert await everything(store, partner(person), now) == before


async def test_s23_a_visit_of_a_sensitive_department_takes_with_it_what_has_no_label(
    store: Store, clock: FrozenClock
) -> None:
    now, person = clock.now(), await bare(store, clock)
    before = await everything(store, partner(person), now)
    await write(
        store, person, [coded("Encounter", "v", "V", "2026-11-03T08:00:00Z")], now, labels=int(Label.PSY)
    )
    inside = coded("Observation", "x", "X", "2026-11-03", encounter={"reference": "Encounter/v"})
    await write(store, person, [inside], now, unit="later")
    assert await everything(store, partner(person), now) == before
    assert "zqx x" in "".join(await everything(store, granted(person, withheld=Label.NONE), now))
