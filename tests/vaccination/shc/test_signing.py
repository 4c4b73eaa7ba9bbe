"""Between what is to be signed and the signature: a dose is corrected, a process dies."""

from kernel.access import Access, Actor, mint_access
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.signing_process import RunningSigner
from tests.vaccination.shc.places import Place, dose, work
from vaccination.shc import issuing, queries
from vaccination.shc.issuing import SIGNING_LIFE, ToSign
from vaccination.shc.models import CardRow


def own(who: Citizen) -> Access:
    actor = Actor(kind="citizen", actor_id=who.patient_id)
    return mint_access(
        patient_id=who.patient_id, actor=actor, action="issue-certificate", purpose="PATRQT", basis="self"
    )


async def begun(store: Store, clock: FrozenClock, who: Citizen) -> CardRow | ToSign | Refused:
    async with store.transaction() as tx:
        return await issuing.begin(tx, store.keys, own(who), "adult", "https://a.vn/shc", clock.now())


async def states(store: Store, who: Citizen) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT state FROM health_card WHERE patient_id = $1 ORDER BY card_id", who.patient_id
        )
    return [row["state"] for row in rows]


async def test_a_dose_that_is_corrected_while_its_card_is_signed_gives_no_card(
    store: Store, clock: FrozenClock, signer: RunningSigner, place: Place
) -> None:
    for follows_first in (False, True):
        who = await make_citizen(store, clock)
        await place.send(who.patient_id, dose("a", "208", "2026-11-02"))
        card = await begun(store, clock, who)
        assert isinstance(card, ToSign)
        signatures = await issuing.sign(signer, card)
        await place.send(who.patient_id, dose("a", "208", "2026-11-03"))
        if follows_first:
            await work(store, clock, who.patient_id)
        async with store.transaction() as tx:
            made = await issuing.complete(tx, store.keys, own(who), card, signatures, clock.now())
        assert isinstance(made, Refused)
        assert made.problem.code == "health-card-being-made"
        assert await states(store, who) == ["abandoned"]


async def test_a_card_whose_signer_was_never_asked_gives_way_to_the_next_one(
    store: Store, clock: FrozenClock, signer: RunningSigner, place: Place
) -> None:
    who = await make_citizen(store, clock)
    await place.send(who.patient_id, dose("a", "208", "2026-11-02"))
    first = await begun(store, clock, who)
    assert isinstance(first, ToSign)
    waiting = await begun(store, clock, who)
    assert isinstance(waiting, Refused)
    assert waiting.problem.code == "health-card-being-made"
    clock.advance(seconds=SIGNING_LIFE.total_seconds())
    card = await begun(store, clock, who)
    assert isinstance(card, ToSign)
    signatures = await issuing.sign(signer, card)
    # The signer, asked late for the one that was given up.
    late = await issuing.sign(signer, first)
    assert isinstance(late, Refused)
    async with store.transaction() as tx:
        made = await issuing.complete(tx, store.keys, own(who), card, signatures, clock.now())
        assert isinstance(made, CardRow)
        assert (await queries.CARD.one(tx, who.patient_id, made.card_id)) == made
    assert await states(store, who) == ["abandoned", "valid"]
    assert await begun(store, clock, who) == made
