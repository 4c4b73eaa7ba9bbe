"""Links between relatives never cross a merge of either side (security.md S10)."""

from pathlib import Path

import pytest
from msgspec import structs

from family.attesting import Pair
from family.models import Attested
from kernel.problems import Refused
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import attest, make_child, make_proxy, may
from tests.support.people import make_citizen, make_person
from tests.support.registry import make_officers, merged, separated


@pytest.mark.parametrize("side", ["merged", "survivor"])
@pytest.mark.parametrize("relation", ["guardian", "proxy"])
async def test_s10_a_link_opens_nothing_from_the_merge_of_the_person_on_and_is_back_after_it(
    store: Store, clock: FrozenClock, side: str, relation: str
) -> None:
    officers = await make_officers(store, clock)
    relative = await make_citizen(store, clock)
    stranger, _ = await make_person(store, clock)
    if relation == "guardian":
        person = await make_child(store, clock, relative)
    else:
        principal = await make_citizen(store, clock)
        person = principal.patient_id
        await make_proxy(store, clock, principal, relative, "read-record")
    clock.advance(minutes=1)
    pair = (person, stranger) if side == "merged" else (stranger, person)
    merge_id = await merged(store, officers, *pair, clock.now())
    for one in (person, stranger):
        assert await may(store, clock, relative, one) == "not-your-book"
    clock.advance(minutes=1)
    await separated(store, officers, merge_id, clock.now())
    assert not isinstance(await may(store, clock, relative, person), str)


async def test_s10_a_link_of_who_acts_is_held_by_the_own_merge_too(store: Store, clock: FrozenClock) -> None:
    officers = await make_officers(store, clock)
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    stranger, _ = await make_person(store, clock)
    clock.advance(minutes=1)
    await merged(store, officers, stranger, mother.patient_id, clock.now())
    assert await may(store, clock, mother, child) == "account-held"


@pytest.mark.parametrize("side", ["child", "guardian"])
@pytest.mark.parametrize(
    ("kind", "role", "birth_date"),
    [
        ("link", "clerk", "2020-05-01"),
        ("ward", "registry-officer", "1990-05-01"),
        ("unbar", "registry-officer", "2020-05-01"),
    ],
)
async def test_s10_a_desk_lets_nobody_in_by_a_number_that_leads_over_a_merge(
    store: Store, clock: FrozenClock, side: str, kind: Attested, role: str, birth_date: str
) -> None:
    officers, guardian = await make_officers(store, clock), await make_citizen(store, clock)
    child, number = await make_person(store, clock, birth_date=birth_date)
    gone, old = await make_person(store, clock, birth_date=birth_date if side == "child" else "1985-03-12")
    pair = Pair(
        child_number=number,
        guardian_number=guardian.number,
        kind=kind,
        proof="court-document",
        document="12/2026/QĐST",
        papers_seen=True,
    )
    over = structs.replace(pair, **{f"{side}_number": old})
    clock.advance(minutes=1)
    await merged(store, officers, gone, child if side == "child" else guardian.patient_id, clock.now())
    for hours in (1, 73):
        clock.advance(hours=hours)
        refused = await attest(store, clock, over, role=role)
        assert isinstance(refused, Refused)
        assert refused.problem.code == "guardianship-refused"
    # A court's bar takes away, and finds whose book it is now.
    bar = structs.replace(over, kind="bar")
    assert await attest(store, clock, bar, role="registry-officer") is None
    # The own number of who stands is nobody else's.
    other, adult = await make_citizen(store, clock), kind == "ward"
    named = structs.replace(pair, kind="ward" if adult else "link", guardian_number=other.number)
    assert await attest(store, clock, named, role=role) is None


# Who follows a number over a merge, and why that lets nobody into the survivor's book.
FOLLOWS = {
    "identity/people.py": "the look-up itself",
    "identity/activation.py": "only to say that the card does not describe the person",
    "identity/sign_in.py": "PIN and device of the survivor are asked for",
    "visits/arrivals.py": "an arrival is no presence (S7)",
    "consent/requests/asking.py": "the survivor's own device answers",
    "consent/emergency/opening.py": "broken glass, by whoever answers for it; the survivor is told",
    "ehr/core/embedded.py": "compares with whose book the decision opened",
    "family/attesting.py": "a court's bar and the end of a ward, which take away",
    "family/desk.py": "the end of proxies, which takes away",
    "api/pages/demo_identity.py": "the stand-in's own page",
    "healthbook/demo_family.py": "the demo's own people",
}


def test_s10_who_follows_a_number_over_a_merge_is_named_with_the_reason() -> None:
    root = Path(__file__).parents[2]
    found = {
        str(path.relative_to(root))
        for top in root.iterdir()
        if (top / "__init__.py").exists() and top.name != "tests"
        for path in top.rglob("*.py")
        if "resolve_subject(" in (text := path.read_text()) or "= resolve_subject" in text
    }
    assert found == set(FOLLOWS)
