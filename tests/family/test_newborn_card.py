"""The other parent of a newborn who has no number yet (security.md S8, S10, S19)."""

from family.attesting import Pair
from identity.births import service as births
from identity.people import IdentifierClaim, PersonClaim, create_person
from kernel.access import Access
from kernel.clock import local_day
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import attest, may
from tests.support.people import make_citizen

CARD, NOBODY = "TE1010000000808", "TE1010000000809"


async def test_a_desk_attests_a_father_of_a_newborn_by_the_card_of_the_birth_note(
    store: Store, clock: FrozenClock
) -> None:
    mother, father = await make_citizen(store, clock), await make_citizen(store, clock, sex="male")
    claim = PersonClaim(
        identifiers=[IdentifierClaim("insurance-card", CARD)],
        name="Bé",
        birth_date=local_day(clock.now()).isoformat(),
        sex="female",
    )
    async with store.transaction() as tx:
        child = await create_person(tx, store.keys, claim, "import", None, clock.now())
        await births.link(tx, child, mother.patient_id, None, clock.now())
    unknown = Pair(child_number=NOBODY, guardian_number=father.number, papers_seen=True)
    assert (await attest(store, clock, unknown)).problem.code == "guardianship-refused"
    assert await may(store, clock, father, child) == "not-your-book"
    known = Pair(child_number=CARD, guardian_number=father.number, papers_seen=True)
    assert await attest(store, clock, known) is None
    assert await may(store, clock, father, child) == "not-your-book", "the mother may say no"
    clock.advance(days=3)
    assert isinstance(await may(store, clock, father, child), Access)
    assert isinstance(await may(store, clock, mother, child), Access)
