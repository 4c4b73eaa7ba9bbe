"""What a person hides has never been there, for whoever it is hidden from; the person sees it marked."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.reads import changes, sections
from ehr.visibility import hidings
from kernel.access import Access, Label
from kernel.problems import Refused
from store.database import Store
from tests.ehr.test_redaction import bare, coded, everything
from tests.support.clock import FrozenClock
from tests.support.record import granted, hospital, our_id, own, write

DOCTOR = UUID(int=7)
ALL = Label.NONE


async def hide(
    store: Store, person: UUID, kind: Any, ident: str, now: datetime, reader: UUID | None = None
) -> UUID:
    async with store.transaction() as tx:
        made = await hidings.hide(tx, own(person), kind, ident, reader=reader, reader_name=None, now=now)
    assert not isinstance(made, Refused)
    return made.hiding_id


def doctor(person: UUID) -> Access:
    return granted(person, withheld=ALL)


HIDDEN = st.lists(
    st.tuples(
        st.sampled_from(["Encounter", "Observation", "DocumentReference"]),
        st.sampled_from([None, "2019", "2026-11-02", "2026-11-05T08:00:00Z"]),
        st.booleans(),
    ),
    max_size=5,
)
KEPT = st.lists(
    st.tuples(
        st.sampled_from(["Observation", "Condition", "MedicationRequest", "Encounter", "DocumentReference"]),
        # Never the time of a hidden one: a result of the same test and time is its copy, and goes with it.
        st.sampled_from([None, "2018", "2026-11-03", "2026-11-05T09:00:00Z"]),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=KEPT, hidden=HIDDEN, to_one=st.booleans())
async def test_s23_hidden_rows_leave_every_read_byte_equal(
    store: Store,
    clock: FrozenClock,
    kept: list[tuple[str, str | None]],
    hidden: list[tuple[str, str | None, bool]],
    to_one: bool,
) -> None:
    now, person = clock.now(), await bare(store, clock)
    names = [
        coded(kind, f"k{n}", "SHARED" if n % 2 else f"K{n}", when) for n, (kind, when) in enumerate(kept)
    ]
    await write(store, person, names, now)
    before = await everything(store, doctor(person), now)
    targets: list[tuple[str, str]] = []
    for n, (kind, when, has_copy) in enumerate(hidden):
        body = coded(kind, f"h{n}", "SHARED", when)
        await write(store, person, [body], now, unit=f"u{n}")
        targets.append((kind, our_id("a", f"h{n}")))
        if kind == "Encounter":
            inside = [
                coded(other, f"i{n}{other}", "SHARED", when, encounter={"reference": f"Encounter/h{n}"})
                for other in ("Observation", "Condition", "MedicationRequest")
            ]
            await write(store, person, inside, now)
        elif has_copy:
            await write(store, person, [body], now, source=hospital("b"), unit=f"u{n}")
            if kind != "Observation" or when is None:
                # Only results of a known time are copies of each other; others are hidden one by one.
                targets.append((kind, our_id("b", f"h{n}")))
    for kind, ident in targets:
        await hide(store, person, kind, ident, now, DOCTOR if to_one else None)
    assert await everything(store, doctor(person), now) == before
    whole = "".join(await everything(store, own(person), now))
    assert (not targets) or '"hidden":true' in whole


async def test_what_one_doctor_does_not_see_another_one_does(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now)
    await hide(store, person, "Observation", our_id("a", "x"), now, UUID(int=8))
    assert "zqx x" in "".join(await everything(store, doctor(person), now))
    await hide(store, person, "Observation", our_id("a", "x"), now, DOCTOR)
    assert "zqx x" not in "".join(await everything(store, doctor(person), now))


async def test_showing_again_restores_every_read(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [coded("Encounter", "v", "V", "2026-11-02T08:00:00Z")], now)
    inside = coded("Observation", "x", "X", "2026-11-02", encounter={"reference": "Encounter/v"})
    await write(store, person, [inside], now)
    before = await everything(store, doctor(person), now), await everything(store, own(person), now)
    hiding = await hide(store, person, "Encounter", our_id("a", "v"), now)
    assert await everything(store, doctor(person), now) != before[0]
    async with store.transaction() as tx:
        await hidings.end(tx, own(person), hiding, now)
    assert (await everything(store, doctor(person), now), await everything(store, own(person), now)) == before


async def test_what_is_sent_later_for_a_hidden_visit_is_hidden_with_it(
    store: Store, clock: FrozenClock
) -> None:
    now, person = clock.now(), await bare(store, clock)
    before = await everything(store, doctor(person), now)
    visit = coded("Encounter", "v", "V", "2026-11-02T08:00:00Z")
    await write(store, person, [visit], now, unit="e")
    await hide(store, person, "Encounter", our_id("a", "v"), now)
    late = coded("Observation", "x", "X", "2026-11-02", encounter={"reference": "Encounter/v"})
    await write(store, person, [visit | {"status": "in-progress"}, late], now, unit="e")
    assert await everything(store, doctor(person), now) == before


async def test_a_report_goes_with_its_result_and_a_result_with_its_report(
    store: Store, clock: FrozenClock
) -> None:
    """In the kept text a reference has the sender's own spelling."""
    now = clock.now()
    for target in ("Observation/x", "DiagnosticReport/r"):
        person = await bare(store, clock)
        before = await everything(store, doctor(person), now)
        result = coded("Observation", "x", "X", "2026-11-02")
        report = {
            "resourceType": "DiagnosticReport",
            "id": "r",
            "status": "final",
            "code": {"text": "zqx report"},
            "category": [{"coding": [{"code": "RAD"}]}],
            "conclusion": "zqx x is high",
            "result": [{"reference": "Observation/x"}],
        }
        await write(store, person, [result, report], now, unit="u")
        kind, _, name = target.partition("/")
        await hide(store, person, kind, our_id("a", name), now)
        assert await everything(store, doctor(person), now) == before


async def test_a_section_that_was_emptied_never_says_none_known(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    none = {
        "resourceType": "AllergyIntolerance",
        "id": "none",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
    }
    visit = coded("Encounter", "v", "V", "2026-11-02T08:00:00Z")
    allergy = coded("AllergyIntolerance", "a", "A", None, encounter={"reference": "Encounter/v"})
    empty = await everything(store, doctor(person), now)
    await write(store, person, [none], now)
    assert await everything(store, doctor(person), now) != empty
    await write(store, person, [visit, allergy], now)
    await hide(store, person, "Encounter", our_id("a", "v"), now)
    assert await everything(store, doctor(person), now) == empty


async def test_only_what_is_in_the_book_can_be_hidden_and_twice_is_once(
    store: Store, clock: FrozenClock
) -> None:
    now, person, other = clock.now(), await bare(store, clock), await bare(store, clock)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now)
    async with store.transaction() as tx:
        made = await hidings.hide(
            tx, own(other), "Observation", our_id("a", "x"), reader=None, reader_name=None, now=now
        )
    assert isinstance(made, Refused)
    first = await hide(store, person, "Observation", our_id("a", "x"), now)
    assert await hide(store, person, "Observation", our_id("a", "x"), now) == first


async def test_the_persons_own_feed_shows_the_mark(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now)
    async with store.transaction() as tx:
        first = json.loads((await changes.read(tx, store.keys, own(person), None, None, now)).body)
    await hide(store, person, "Observation", our_id("a", "x"), now)
    async with store.transaction() as tx:
        built = await changes.read(tx, store.keys, own(person), first["cursor"], None, now)
        page = await sections.read(tx, own(person), "results", None, None, now)
    (change,) = json.loads(built.body)["items"]
    assert change["item"]["hidden"] is True
    assert json.loads(page.body)["items"] == [change["item"]]
