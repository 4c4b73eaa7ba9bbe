"""Replaying the change feed from any cursor gives what the sections show."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.reads import changes, sections
from ehr.store import mark_rows
from ehr.visibility import hidings
from ehr.visibility.release import release_due, set_policy
from kernel.access import Access, Label
from kernel.problems import ProblemError, Refused
from store.database import Store
from tests.ehr.test_redaction import SECTIONS, bare, coded
from tests.support.clock import FrozenClock
from tests.support.people import make_facility
from tests.support.record import granted, hospital, our_id, own, write

State = dict[tuple[str, str], Any]


async def pull(store: Store, access: Access, cursor: str | None, limit: int, now: datetime) -> dict[str, Any]:
    async with store.transaction() as tx:
        page: dict[str, Any] = json.loads(
            (await changes.read(tx, store.keys, access, cursor, limit, now)).body
        )
    return page


async def replay(
    store: Store, access: Access, state: State, cursor: str | None, now: datetime, limit: int = 3
) -> str:
    """Apply pages to a phone's copy until there is no more; the cursor to go on from."""
    while True:
        page = await pull(store, access, cursor, limit, now)
        for one in page["removed"]:
            for key in [key for key in state if key[1] == one["id"]]:
                del state[key]
        for change in page["items"]:
            for key in [key for key in state if key[1] == change["item"]["id"]]:
                del state[key]
            state[change["section"], change["item"]["id"]] = change["item"]
        cursor = page["cursor"]
        assert cursor is not None
        if not page["has_more"]:
            return cursor


async def shown(store: Store, access: Access, now: datetime) -> State:
    """What the section routes answer, by section and id."""
    found: State = {}
    for section in SECTIONS:
        async with store.transaction() as tx:
            page = json.loads((await sections.read(tx, access, section, None, 100, now)).body)
        for one in page["items"]:
            item = one.get("encounter", one)
            found[section, item["id"]] = item
    return found


def of_sections(state: State) -> State:
    return {key: item for key, item in state.items() if key[0] in SECTIONS}


NONE_KNOWN = {
    "resourceType": "AllergyIntolerance",
    "id": "none",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]},
    "clinicalStatus": {"coding": [{"code": "active"}]},
}
KINDS = [
    "Observation",
    "Condition",
    "AllergyIntolerance",
    "MedicationRequest",
    "Encounter",
    "DocumentReference",
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["write", "copy", "drop", "hide", "show", "dispute", "settle", "hold", "release", "none"]
        ),
        st.integers(0, 5),
        st.sampled_from(["2026-11-02", "2026-11-05T08:00:00Z"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


async def step(
    store: Store, person: UUID, what: tuple[str, int, str, bool], now: datetime, turn: int
) -> None:
    act, n, when, pulls = what
    kind = KINDS[n % len(KINDS)]
    ident = our_id("a", f"r{n}")
    if act in ("write", "copy"):
        source = hospital("b" if act == "copy" else "a")
        visit: dict[str, Any] = (
            {"encounter": {"reference": "Encounter/r4"}} if pulls and kind != "Encounter" else {}
        )
        body = coded(kind, f"r{n}", f"C{n}", when, **visit)
        if kind == "Encounter":
            body["diagnosis"] = [
                {"condition": {"reference": "Condition/r1"}, "use": {"coding": [{"code": "CC"}]}}
            ]
        if act == "write" and pulls and kind == "Condition":
            body["code"]["coding"][0]["display"] = f"zqx other name {turn}"
        await write(store, person, [body], now, source=source, unit=f"u{n}{act}")
    elif act == "drop":
        await write(
            store,
            person,
            [],
            now,
            source=hospital("b" if pulls else "a"),
            unit=f"u{n}{'copy' if pulls else 'write'}",
        )
    elif act == "none":
        await write(store, person, [NONE_KNOWN], now)
    else:
        async with store.transaction() as tx:
            if act == "hide" and kind in ("Observation", "Encounter", "DocumentReference"):
                await hidings.hide(tx, own(person), kind, ident, reader=None, reader_name=None, now=now)  # type: ignore[arg-type]
            elif act == "show":
                for one in await hidings.hidings_of(tx, own(person), now):
                    await hidings.end(tx, own(person), one.hiding_id, now)
            elif act in ("dispute", "settle"):
                await mark_rows(
                    tx, person, [(kind, ident)], now, state="disputed" if act == "dispute" else "verified"
                )
            elif act in ("hold", "release"):
                until = now + timedelta(hours=1) if act == "hold" else None
                await mark_rows(tx, person, [(kind, ident)], now, release_at=until)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_replay_from_any_cursor_is_what_the_sections_show(
    store: Store, clock: FrozenClock, steps: list[tuple[str, int, str, bool]]
) -> None:
    now, person = clock.now(), await bare(store, clock)
    access = own(person, "read-changes")
    copies: list[tuple[State, str]] = []
    for turn, what in enumerate(steps):
        state: State = {}
        cursor = await replay(store, access, state, None, now)
        copies.append((state, cursor))
        await step(store, person, what, now, turn)
    wanted = await shown(store, access, now)
    for state, cursor in copies:
        following = await replay(store, access, state, cursor, now)
        assert of_sections(state) == wanted
        again = dict(state)
        await replay(store, access, again, following, now)
        assert again == state
    fresh: State = {}
    await replay(store, access, fresh, None, now, limit=2)
    assert of_sections(fresh) == wanted


async def test_a_cursor_says_nothing_and_opens_for_its_reader_alone(store: Store, clock: FrozenClock) -> None:
    now, person, other = clock.now(), await bare(store, clock), await bare(store, clock)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now)
    cursor = (await pull(store, own(person), None, 10, now))["cursor"]
    again = (await pull(store, own(person), None, 10, now))["cursor"]
    assert cursor != again
    assert len(cursor) == len(again)
    for access, code in ((own(other), "bad-cursor"), (granted(person), "cursor-expired")):
        with pytest.raises(ProblemError) as refused:
            await pull(store, access, cursor, 10, now)
        assert refused.value.refused.problem.code == code
    with pytest.raises(ProblemError) as old:
        await pull(store, own(person), cursor, 10, now + timedelta(days=91))
    assert old.value.refused.problem.code == "cursor-expired"


async def test_s32_hidden_and_labelled_rows_move_no_feed_of_others(store: Store, clock: FrozenClock) -> None:
    """A reader who is not the person: no item, no tombstone, no second page for what is withheld."""
    now, person = clock.now(), await bare(store, clock)
    family = granted(person, withheld=Label.PSY)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now)
    await write(store, person, [coded("Encounter", "v", "V", "2026-11-02T08:00:00Z")], now, unit="v")
    state: State = {}
    cursor = await replay(store, family, state, None, now)
    async with store.transaction() as tx:
        done = await hidings.hide(
            tx, own(person), "Encounter", our_id("a", "v"), reader=None, reader_name=None, now=now
        )
    assert not isinstance(done, Refused)
    page = await pull(store, family, cursor, 10, now)
    assert page["items"] == []
    assert [one["id"] for one in page["removed"]] == [our_id("a", "v")]
    cursor = page["cursor"]
    late = coded("Observation", "late", "L", "2026-11-02", encounter={"reference": "Encounter/v"})
    changed = coded("Encounter", "v", "OTHER", "2026-11-02T09:00:00Z")
    await write(store, person, [changed, late], now, unit="v")
    await write(store, person, [coded("Condition", "p", "F20", "2026-11-02")], now, labels=int(Label.PSY))
    page = await pull(store, family, cursor, 1, now)
    assert (page["items"], page["removed"], page["has_more"]) == ([], [], False)


async def test_a_held_result_comes_with_its_release_and_not_before(store: Store, clock: FrozenClock) -> None:
    now, person = clock.now(), await bare(store, clock)
    facility = await make_facility(store, clock)
    async with store.transaction() as tx:
        await set_policy(tx, facility.facility_id, "laboratory", "after-hours", 4, None, now)
    source = hospital("a", facility.facility_id)
    await write(store, person, [coded("Observation", "x", "X", "2026-11-02")], now, source=source)
    first = await pull(store, own(person), None, 10, now)
    assert first["items"] == []
    later = now + timedelta(hours=4)
    async with store.transaction() as tx:
        assert await release_due(tx, person, later) is None
    page = await pull(store, own(person), first["cursor"], 10, later)
    assert [one["item"]["id"] for one in page["items"]] == [our_id("a", "x")]
