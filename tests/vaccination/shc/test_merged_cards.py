"""Cards through a merge of two persons and its undoing (security.md S10)."""

from uuid import UUID

import msgspec

from identity.merges.aliases import book_to_tell
from kernel.access import Actor, mint_access
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.people import make_citizen
from tests.support.registry import make_officers, merged, separated
from tests.support.signing_process import RunningSigner
from tests.vaccination.shc.places import Place, dose, work
from vaccination.shc import issuing, queries
from vaccination.shc.issuing import ToSign
from vaccination.shc.models import CardRow
from vaccination.shc.reading import list_cards, read_card


async def card_of(
    store: Store, clock: FrozenClock, signer: RunningSigner, person: UUID, *origins: UUID
) -> CardRow:
    access = mint_access(
        patient_id=person,
        actor=Actor(kind="citizen", actor_id=person),
        action="issue-certificate",
        purpose="PATRQT",
        basis="self",
        origins=frozenset(origins),
    )
    async with store.transaction() as tx:
        begun = await issuing.begin(tx, store.keys, access, "adult", "https://a.vn/shc", clock.now())
    assert isinstance(begun, ToSign), begun
    signatures = await issuing.sign(signer, begun)
    async with store.transaction() as tx:
        made = await issuing.complete(tx, store.keys, access, begun, signatures, clock.now())
    assert isinstance(made, CardRow), made
    return made


async def standing(store: Store, card: CardRow) -> tuple[str, str | None]:
    async with store.transaction() as tx:
        row = await queries.CARD.one(tx, card.patient_id, card.card_id)
    assert row is not None
    return row.state, row.end_reason


async def test_s10_a_card_with_doses_of_both_ends_with_the_merge_and_their_own_ones_stand(
    store: Store, clock: FrozenClock, signer: RunningSigner, place: Place
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    await place.send(one.patient_id, dose("a", "208", "2026-11-02"))
    await place.send(other.patient_id, dose("b", "88", "2026-11-10"))
    before = await card_of(store, clock, signer, one.patient_id)
    officers = await make_officers(store, clock)
    merge_id = await merged(store, officers, one.patient_id, other.patient_id, clock.now())
    both = await card_of(store, clock, signer, other.patient_id, one.patient_id)
    survivor = mint_access(
        patient_id=other.patient_id,
        actor=Actor(kind="citizen", actor_id=other.patient_id),
        action="issue-certificate",
        purpose="PATRQT",
        basis="self",
        origins=frozenset({one.patient_id}),
    )
    async with store.transaction() as tx:
        listed = msgspec.json.decode((await list_cards(tx, store.keys, survivor, clock.now())).body)
        assert [book["card"]["card_id"] for book in listed["books"] if book["card"]] == [str(both.card_id)]
        assert [card["card_id"] for card in listed["ended"]] == [str(before.card_id)]
        text = await read_card(tx, store.keys, survivor, before.card_id, clock.now())
        assert str(before.card_id) in text.body.decode()
    assert len(issuing.content_of(store.keys, both).doses) == 2
    # A dose of the survivor's changes: what was the merged person's own card stands.
    await place.send(other.patient_id, dose("b", "88", "2026-11-11"))
    await work(store, clock, other.patient_id)
    assert await standing(store, both) == ("revoked", "dose-changed")
    assert await standing(store, before) == ("valid", None)
    both = await card_of(store, clock, signer, other.patient_id, one.patient_id)
    await separated(store, officers, merge_id, clock.now())
    for person in (one, other):
        await work(store, clock, person.patient_id)
    assert await standing(store, both) == ("revoked", "dose-gone")
    assert await standing(store, before) == ("valid", None)


async def test_s10_who_reads_the_merged_book_hears_that_a_card_of_it_was_revoked(
    store: Store, clock: FrozenClock, signer: RunningSigner, place: Place
) -> None:
    one, other = await make_citizen(store, clock), await make_citizen(store, clock)
    await place.send(one.patient_id, dose("a", "208", "2026-11-02"))
    before = await card_of(store, clock, signer, one.patient_id)
    await merged(store, await make_officers(store, clock), one.patient_id, other.patient_id, clock.now())
    async with store.transaction() as tx:
        sql = "UPDATE person_origin SET proven_at = visible_at, visible_at = $1 WHERE patient_id = $2"
        await tx.execute(sql, clock.now(), other.patient_id)
        told = await book_to_tell(tx, one.patient_id, clock.now())
        assert told == other.patient_id
    await place.send(one.patient_id, dose("a", "208", "2026-11-03"))
    await work(store, clock, one.patient_id)
    await work(store, clock, other.patient_id)
    assert (await standing(store, before))[0] == "revoked"
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT DISTINCT patient_id FROM notification WHERE type = 'certificate-changed'"
            " AND patient_id = ANY ($1::uuid[])",
            [one.patient_id, other.patient_id],
        )
    assert [row["patient_id"] for row in rows] == [other.patient_id]
