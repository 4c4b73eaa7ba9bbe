"""S17: what a person says is not theirs leaves every view at once, and comes back by the person alone."""

import json
from uuid import UUID

import pytest

from ehr.cases.answering import answer
from ehr.cases.models import CaseRow
from ehr.cases.moves import Hand, move
from ehr.cases.problems import CASE_ALREADY_OPEN, CASE_STATE, CASE_TARGET_UNKNOWN
from ehr.cases.settling import note_resent, settle
from ehr.exports import bundle, ips, papers
from ehr.queries import ENCOUNTER_WITH
from ehr.reads import search, sections, summary, timeline, trend
from kernel.access import Access, Label
from kernel.problems import Refused
from store.database import Store
from tests.support.cases import Place, make_place, open_case, send, try_case, visit
from tests.support.clock import FrozenClock
from tests.support.record import granted, own, write

DAY = "2026-11-02"
SECTIONS = ("allergies", "problems", "medications", "results", "encounters", "documents", "immunizations")
MARK = "qzj"


async def views(store: Store, access: Access, clock: FrozenClock) -> str:
    """Everything that a reader gets, in one text."""
    now = clock.now()
    async with store.transaction() as tx:
        built = [
            await summary.read(tx, store.keys, access, now),
            await timeline.read(tx, access, None, 100, now),
            *[await sections.read(tx, access, section, None, 50, now) for section in SECTIONS],
            await trend.read(tx, access, "SHARED", now),
            await search.read(tx, access, MARK, None, 100, now),
        ]
        exported = [
            await ips.gather(tx, store.keys, access, built[0], now),
            await bundle.gather(tx, store.keys, access, now),
            await papers.gather_book(tx, access, built[0], now),
        ]
    return "".join([*(each.body.decode() + json.dumps(each.shown) for each in built), *map(str, exported)])


def readers(patient_id: UUID) -> list[Access]:
    return [own(patient_id), granted(patient_id, withheld=Label.NONE), granted(patient_id)]


async def shown(store: Store, place: Place, clock: FrozenClock) -> list[bool]:
    return [MARK in await views(store, access, clock) for access in readers(place.patient_id)]


def by_staff(place: Place, clock: FrozenClock) -> Hand:
    return Hand(actor=place.staff.actor, side="facility", request_id="test", now=clock.now())


def by_person(place: Place, clock: FrozenClock) -> Hand:
    return Hand(actor=place.citizen.actor, side="person", request_id="test", now=clock.now())


async def do(store: Store, place: Place, case: CaseRow, act: str, clock: FrozenClock) -> CaseRow | Refused:
    async with store.transaction() as tx:
        if act in ("acknowledge", "refuse", "resolve", "reply"):
            facility_id = place.facility.facility_id
            return await answer(
                tx,
                store.keys,
                facility_id,
                case.case_id,
                act,
                "vì",
                by_staff(place, clock),  # type: ignore[arg-type]
            )
        hand = by_person(place, clock)
        return await move(tx, store.keys, case.patient_id, case.case_id, act, hand)  # type: ignore[arg-type]


@pytest.mark.parametrize("named", ["v1", "v1-c", "v1-o", "v1-m", "v1-a"])
async def test_s17_not_mine_takes_the_whole_episode_out_of_every_view_at_once(
    store: Store, clock: FrozenClock, named: str
) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    assert await shown(store, place, clock) == [True] * 3
    await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of(named))
    assert await shown(store, place, clock) == [False] * 3


async def test_s17_other_visits_of_the_same_facility_stay(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    await send(store, place, "v2", "2026-11-05", clock.now(), mark="other")
    await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1-o"))
    everything = await views(store, own(place.patient_id), clock)
    assert MARK not in everything
    assert "other" in everything


async def test_s17_a_bundle_of_several_visits_loses_the_disputed_one_alone(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    bodies = visit("v1", DAY) + visit("v2", "2026-11-05", "other")
    await write(store, place.patient_id, bodies, clock.now(), source=place.source, unit="both")
    await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    everything = await views(store, own(place.patient_id), clock)
    assert "other bệnh" in everything
    assert f"{MARK} bệnh" not in everything
    assert f"{MARK} dị ứng" in everything, "an entry of no visit is not part of one"


async def test_s17_a_facility_never_visited_is_disputed_as_a_whole_and_for_what_follows(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    await send(store, place, "v2", "2026-11-05", clock.now())
    await open_case(store, place, "not-mine", clock.now(), facility_id=place.facility.facility_id)
    assert await shown(store, place, clock) == [False] * 3
    await send(store, place, "v3", "2026-11-06", clock.now())
    assert await shown(store, place, clock) == [False] * 3


async def test_s17_a_resend_brings_nothing_back_whatever_it_changes(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    await send(store, place, "v1", DAY, clock.now())
    await send(store, place, "v1", DAY, clock.now(), mark=MARK + " again")
    assert await shown(store, place, clock) == [False] * 3


async def test_s17_the_person_alone_brings_it_back_as_it_was(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    before = await views(store, own(place.patient_id), clock)
    case = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    assert await do(store, place, case, "refuse", clock)
    assert await shown(store, place, clock) == [False] * 3, "a refusal brings nothing back"
    restored = await do(store, place, case, "withdraw", clock)
    assert isinstance(restored, CaseRow)
    assert restored.state == "restored"
    assert await views(store, own(place.patient_id), clock) == before
    await send(store, place, "v1", DAY, clock.now(), mark=MARK + " again")
    assert await shown(store, place, clock) == [True] * 3


async def test_s17_a_detached_visit_stays_out_when_it_is_sent_again_and_the_case_starts_anew(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    case = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    detached = await do(store, place, case, "resolve", clock)
    assert isinstance(detached, CaseRow)
    assert (detached.state, detached.overdue_at) == ("detached", None)
    async with store.transaction() as tx:
        kept = await tx.fetchval("SELECT count(*) FROM ehr_history WHERE patient_id = $1", place.patient_id)
    assert kept == 5, "what it said stays in the history"
    assert (await do(store, place, case, "withdraw", clock)) == Refused(problem=CASE_STATE)
    clock.advance(days=3)
    await send(store, place, "v1", DAY, clock.now())
    assert await shown(store, place, clock) == [False] * 3
    async with store.transaction() as tx:
        assert await note_resent(tx, store.keys, place.patient_id, case.case_id, clock.now())
    async with store.transaction() as tx:
        state = await tx.fetchrow(
            "SELECT state, overdue_at, acknowledged_at FROM ehr_case WHERE patient_id = $1", place.patient_id
        )
    assert state["state"] == "open"
    assert state["overdue_at"] > clock.now()
    assert state["acknowledged_at"] is None


async def test_s17_a_unit_sent_to_the_right_person_closes_the_case(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    case = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    await write(store, place.patient_id, [], clock.now(), source=place.source, unit="v1")
    async with store.transaction() as tx:
        assert await settle(tx, store.keys, place.patient_id, clock.now()) == 1
        state = await tx.fetchval("SELECT state FROM ehr_case WHERE case_id = $1", case.case_id)
    assert state == "detached"


async def test_two_disputes_over_one_row_both_have_to_end(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    await send(store, place, "v2", "2026-11-05", clock.now())
    one = await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    everything = await open_case(
        store, place, "not-mine", clock.now(), facility_id=place.facility.facility_id
    )
    await do(store, place, one, "withdraw", clock)
    assert await shown(store, place, clock) == [False] * 3
    await do(store, place, everything, "withdraw", clock)
    assert await shown(store, place, clock) == [True] * 3


async def test_s6_a_disputed_visit_makes_no_facility_known_to_the_person(
    store: Store, clock: FrozenClock
) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    facility_id = place.facility.facility_id
    since = clock.now().replace(year=2025)
    async with store.transaction() as tx:
        assert await ENCOUNTER_WITH.one(tx, place.patient_id, facility_id, since)
    await open_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1"))
    async with store.transaction() as tx:
        assert not await ENCOUNTER_WITH.one(tx, place.patient_id, facility_id, since)


async def test_the_same_thing_is_disputed_once_and_nothing_unknown(store: Store, clock: FrozenClock) -> None:
    place = await make_place(store, clock)
    await send(store, place, "v1", DAY, clock.now())
    facility_id = place.facility.facility_id
    await open_case(store, place, "not-mine", clock.now(), facility_id=facility_id)
    unknown = Refused(problem=CASE_TARGET_UNKNOWN)
    assert await try_case(store, place, "not-mine", clock.now(), item_id=place.id_of("v1")) == unknown
    again = await try_case(store, place, "not-mine", clock.now(), facility_id=facility_id)
    assert again == Refused(problem=CASE_ALREADY_OPEN)
    stranger = await make_place(store, clock)
    await send(store, stranger, "v1", DAY, clock.now())
    theirs = await try_case(store, place, "not-mine", clock.now(), item_id=stranger.id_of("v1"))
    assert theirs == unknown
    assert await shown(store, stranger, clock) == [True] * 3
