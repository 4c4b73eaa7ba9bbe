"""Who was at a facility, for the health department: every precondition of S30, and who sees it."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from healthbook.dispatch import tick
from identity import practitioners, sessions
from identity.models import Facility
from identity.phones import add_contact
from identity.units import service as units
from identity.units.models import NewUnit
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due
from store.person_tables import TABLES, delete_some
from tests.support.clock import FrozenClock
from tests.support.declaring import booking, check_in, staff
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.registry import make_officers, merged
from visits.exposure.making import PAGE
from visits.exposure.service import JOB
from visits.safety import service as safety

LISTS = "/v1/department/exposure-lists"
BASIS = "Quyết định thử 01/QĐ-SYT về điều tra dịch tễ"
HOUR = timedelta(hours=1)


class Setting:
    """A department with two analysts, and a facility that people came to since midnight."""

    store: Store
    clock: FrozenClock
    facility: Facility
    asks: Doctor
    approves: Doctor
    since: datetime

    def body(self, **more: Any) -> dict[str, Any]:
        """The last ten whole hours."""
        return {
            "facility_id": str(self.facility.facility_id),
            "since": self.since.isoformat(),
            "until": (self.since + 10 * HOUR).isoformat(),
            "legal_basis": BASIS,
        } | more

    async def comes(self, hour: float, **more: Any) -> tuple[Citizen, UUID]:
        """Somebody who came so many hours after the window's beginning."""
        person = await make_citizen(self.store, self.clock)
        at = self.since + hour * HOUR
        return person, await check_in(self.store, person.patient_id, self.facility, at, **more)

    async def unit(self, name: str, **more: Any) -> UUID:
        new = NewUnit(facility_id=self.facility.facility_id, kind="department", name=name, **more)
        async with self.store.transaction() as tx:
            return await units.add_unit(tx, new, self.clock.now())


@pytest.fixture
async def here(store: Store, clock: FrozenClock) -> Setting:
    made = Setting()
    made.store, made.clock = store, clock
    made.facility = await make_facility(store, clock)
    department = await make_facility(store, clock, name="Sở Y tế Thử")
    made.asks, made.approves = [
        await make_doctor(store, clock, department, role="department-analyst") for _ in range(2)
    ]
    made.since = clock.now().replace(minute=0, second=0, microsecond=0) - 10 * HOUR
    return made


def code_of(response: httpx.Response) -> tuple[int, str, str | None]:
    told = response.json()
    places = [one["where"] for one in told.get("errors", [])]
    return response.status_code, told["code"], places[0] if places else None


async def asked(client: httpx.AsyncClient, here: Setting, **more: Any) -> str:
    made = await client.post(LISTS, json=here.body(**more), headers=staff(here.asks))
    assert made.status_code == 201, made.text
    ident: str = made.json()["list_id"]
    return ident


async def run(here: Setting, list_id: str) -> datetime | None:
    """The timer of a list until it is due later, or never."""
    while True:
        async with here.store.transaction() as tx:
            due = Due(bucket_of(UUID(list_id)), here.clock.now(), JOB, list_id)
            following = await tick(tx, here.store.keys, due, here.clock.now())
        if following is None or following > here.clock.now():
            return following


async def approved(client: httpx.AsyncClient, here: Setting, **more: Any) -> dict[str, Any]:
    """A list that is made."""
    ident = await asked(client, here, **more)
    said = await client.post(f"{LISTS}/{ident}/decide", json={"approve": True}, headers=staff(here.approves))
    assert said.status_code == 200, said.text
    await run(here, ident)
    found: dict[str, Any] = (await client.get(f"{LISTS}/{ident}", headers=staff(here.asks))).json()
    return found


async def people(
    client: httpx.AsyncClient, who: Doctor, made: dict[str, Any], size: int = 50
) -> list[dict[str, Any]]:
    """Every page of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": str(size)} | ({"cursor": cursor} if cursor else {})
        page = await client.get(f"{LISTS}/{made['list_id']}/people", params=query, headers=staff(who))
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            return found
        assert len(page.json()["items"]) == size, "a page is full unless it is the last"


async def reads(store: Store, patient_id: UUID) -> list[dict[str, Any]]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1", patient_id)
    entries = [json.loads(row["entry"]) for row in rows]
    return [one for one in entries if one["action"] == "visit:exposure:read"]


async def test_s30_two_people_one_facility_some_hours_and_a_row_for_each_person_shown(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    person, _ = await here.comes(1)
    typed, _ = await here.comes(2, means="staff-typed")
    early, _ = await here.comes(-0.1)
    late, _ = await here.comes(10)
    elsewhere = await make_citizen(store, clock)
    await check_in(store, elsewhere.patient_id, await make_facility(store, clock), here.since + HOUR)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        assert (made["state"], made["legal_basis"]) == ("made", BASIS)
        assert await reads(store, person.patient_id) == [], "nobody has looked"
        shown = await people(client, here.asks, made)
        assert [one["name"] for one in shown] == [person.name, typed.name]
        assert [one["phone"] for one in shown] == [person.phone_number, typed.phone_number]
        assert [one["is_presence"] for one in shown] == [True, False]
        await people(client, here.approves, made)
    for one in (person, typed):
        rows = await reads(store, one.patient_id)
        assert [row["actor"]["id"] for row in rows] == [
            str(here.asks.actor.actor_id),
            str(here.approves.actor.actor_id),
        ]
    for one in (early, late, elsewhere):
        assert await reads(store, one.patient_id) == []


PRECONDITIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no legal basis": ({"legal_basis": None}, "legal_basis"),
    "a blank one": ({"legal_basis": "            "}, "legal_basis"),
    "no facility": ({"facility_id": None}, "facility_id"),
    "no such facility": ({"facility_id": "0189d6a4-0000-7000-8000-000000000000"}, "facility_id"),
    "no beginning": ({"since": None}, "since"),
    "no end": ({"until": None}, "until"),
    "73 hours": ({"hours": (-73, 0)}, "until"),
    "nothing between": ({"hours": (-5, -5)}, "until"),
    "the wrong way round": ({"hours": (-4, -5)}, "until"),
    "what is yet to come": ({"hours": (-5, 1)}, "until"),
    "parts of hours": ({"hours": (-5.5, 0)}, "since"),
    "parts of hours at the end": ({"hours": (-5, -0.5)}, "until"),
    "what is purged": ({"hours": (-24 * 31, -24 * 31 + 5)}, "since"),
}


@pytest.mark.parametrize("case", PRECONDITIONS)
async def test_s30_each_precondition_that_is_missing_is_403(
    store: Store, clock: FrozenClock, here: Setting, case: str
) -> None:
    changed, where = PRECONDITIONS[case]
    body = here.body()
    if "hours" in changed:
        first, last = changed["hours"]
        end = here.since + 10 * HOUR
        body |= {"since": (end + first * HOUR).isoformat(), "until": (end + last * HOUR).isoformat()}
    else:
        body = {key: value for key, value in (body | changed).items() if value is not None}
    async with client_of(store, clock) as client:
        refused = await client.post(LISTS, json=body, headers=staff(here.asks))
    assert code_of(refused) == (403, "exposure-not-allowed", where)


async def test_s30_72_hours_are_allowed(store: Store, clock: FrozenClock, here: Setting) -> None:
    async with client_of(store, clock) as client:
        await asked(client, here, since=(here.since - 62 * HOUR).isoformat())


async def test_s30_the_approver_is_somebody_else_also_in_another_role(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with store.transaction() as tx:
        role = await practitioners.add_role(
            tx,
            here.asks.practitioner_id,
            (await make_facility(store, clock)).facility_id,
            "department-analyst",
            clock.now(),
        )
        assert isinstance(role, UUID)
        again = await sessions.open_staff_session(
            tx, here.asks.practitioner_id, "practitioner", role, clock.now()
        )
    async with client_of(store, clock) as client:
        ident = await asked(client, here)
        path = f"{LISTS}/{ident}"
        for headers in (staff(here.asks), bearer(again.access_token)):
            own = await client.post(f"{path}/decide", json={"approve": True}, headers=headers)
            assert code_of(own) == (403, "exposure-not-allowed", "approver")
        for who in (here.asks, here.approves):
            early = await client.get(f"{path}/people", headers=staff(who))
            assert early.status_code in (404, 409), "nothing is there before the approval"
        done = await client.post(f"{path}/decide", json={"approve": True}, headers=staff(here.approves))
        assert done.json()["state"] == "approved"
        twice = await client.post(f"{path}/decide", json={"approve": False}, headers=staff(here.approves))
        assert code_of(twice) == (409, "exposure-list-state", None)
        not_yet = await client.get(f"{path}/people", headers=staff(here.asks))
        assert code_of(not_yet) == (409, "exposure-list-state", None)


async def test_s30_a_refused_list_and_one_that_waited_too_long_list_nobody(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.comes(1)
    async with client_of(store, clock) as client:
        refused = await asked(client, here)
        said = await client.post(
            f"{LISTS}/{refused}/decide", json={"approve": False}, headers=staff(here.approves)
        )
        assert said.json()["state"] == "refused"
        waits = await asked(client, here)
        clock.advance(hours=72)
        for who in (here.asks, here.approves):
            await sign_in_again(store, clock, who)
        late = await client.post(
            f"{LISTS}/{waits}/decide", json={"approve": True}, headers=staff(here.approves)
        )
        assert code_of(late) == (409, "exposure-list-state", None)
        for ident in (refused, waits):
            assert await run(here, ident) is None
            seen = await client.get(f"{LISTS}/{ident}/people", headers=staff(here.asks))
            assert code_of(seen)[1] == "exposure-list-state"


async def test_s30_a_third_analyst_sees_that_there_is_a_list_and_nobody_on_it(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    person, _ = await here.comes(1)
    third = await make_doctor(store, clock, await make_facility(store, clock), role="department-analyst")
    officer = await make_doctor(store, clock, here.facility, role="privacy-officer")
    stranger = await make_doctor(store, clock, await make_facility(store, clock), role="privacy-officer")
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        listed = (await client.get(LISTS, headers=staff(third))).json()["items"]
        assert (made["list_id"], False) in {(one["list_id"], one["is_own"]) for one in listed}
        refused = await client.get(f"{LISTS}/{made['list_id']}/people", headers=staff(third))
        assert code_of(refused) == (404, "exposure-list-unknown", None)
        of_facility = await client.get("/v1/facility/exposure-lists", headers=staff(officer))
        (line,) = of_facility.json()["items"]
        assert (line["list_id"], line["is_own"], line["count"]) == (made["list_id"], False, made["count"])
        assert person.name not in of_facility.text
        none = await client.get("/v1/facility/exposure-lists", headers=staff(stranger))
        assert none.json() == {"items": [], "next": None}


NAMES = [
    "Phòng khám ngoại trú HIV (OPC)",
    "Phòng VCT",
    "Điều trị PrEP",
    "Cơ sở cấp phát Methadone",
    "Khoa Tâm thần",
    "Đơn vị Phá thai an toàn",
    "PHÁ THAI",
    "O P C",
]


@pytest.mark.parametrize("name", NAMES)
async def test_s30_never_a_sensitive_unit_by_its_name(
    store: Store, clock: FrozenClock, here: Setting, name: str
) -> None:
    await here.unit("Khoa Khám bệnh")
    hidden, _ = await here.comes(1, unit_id=await here.unit(name))
    seen, _ = await here.comes(2, unit_id=await here.unit("Khoa Nhi"))
    async with client_of(store, clock) as client:
        shown = await people(client, here.asks, await approved(client, here))
    assert [one["phone"] for one in shown] == [seen.phone_number]
    assert await reads(store, hidden.patient_id) == []


async def test_s30_never_a_place_that_is_sensitive_by_its_mark_its_counter_or_in_no_register(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.unit("Khoa Khám bệnh")
    marked = await here.unit("Phòng 12", is_sensitive=True)
    await here.comes(1, unit_id=marked)
    other = await make_facility(store, clock)
    async with store.transaction() as tx:
        new = NewUnit(facility_id=other.facility_id, kind="department", name="Khoa Nhi")
        foreign = await units.add_unit(tx, new, clock.now())
    await here.comes(2, unit_id=foreign)
    _, at_counter = await here.comes(3)
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO counter (facility_id, counter_id, code, name, unit_id, opened_at)"
            " VALUES ($1, $2, 'Q-9', 'Quầy 9', $3, $4)",
            here.facility.facility_id,
            at_counter,
            marked,
            clock.now(),
        )
        await tx.execute("UPDATE check_in SET counter_id = $1 WHERE check_in_id = $1", at_counter)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        assert await people(client, here.asks, made) == []
    async with store.transaction() as tx:
        kept = await tx.fetchval(
            "SELECT count(*) FROM exposure_entry WHERE list_id = $1", UUID(made["list_id"])
        )
    assert kept == 0


async def test_s30_a_unit_that_was_closed_or_renamed_since_is_as_sensitive_as_it_was(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.unit("Khoa Khám bệnh")
    opc = await here.unit("Phòng OPC")
    await here.comes(1, unit_id=opc)
    async with store.transaction() as tx:
        # What the register keeps of a unit that was renamed and closed: its mark stays.
        await tx.execute(
            "UPDATE facility_unit SET name = 'Phòng 7', closed_at = $2 WHERE unit_id = $1", opc, clock.now()
        )
    async with client_of(store, clock) as client:
        assert await people(client, here.asks, await approved(client, here)) == []


async def test_s30_what_became_sensitive_after_the_list_was_made_is_shown_no_more(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.unit("Khoa Khám bệnh")
    room = await here.unit("Phòng 7")
    await here.comes(1, unit_id=room)
    flagged, came = await here.comes(2)
    _, withdrawn = await here.comes(3)
    stays, _ = await here.comes(4)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        assert len(await people(client, here.asks, made)) == 4
        async with store.transaction() as tx:
            await tx.execute("UPDATE facility_unit SET name = 'Phòng PrEP' WHERE unit_id = $1", room)
            await safety.flag(tx, flagged.patient_id, "check-in", came, "own-wish", clock.now())
            await tx.execute(
                "UPDATE check_in SET withdrawn_at = $2 WHERE check_in_id = $1", withdrawn, clock.now()
            )
        shown = await people(client, here.asks, made, size=1)
        assert [one["phone"] for one in shown] == [stays.phone_number]
        after = (await client.get(f"{LISTS}/{made['list_id']}", headers=staff(here.asks))).json()
        assert after["count"] == made["count"], "no difference tells that somebody went"
        again = await approved(client, here)
        assert again["count"] == made["count"], "nor does a second list of the same hours"


async def test_s30_never_a_flagged_visit_by_whichever_id_it_was_flagged(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.unit("Khoa Khám bệnh")
    own, came = await here.comes(1)
    second, first_scan = await here.comes(2)
    at_ward = await check_in(store, second.patient_id, here.facility, here.since + 3 * HOUR)
    booked, _ = await here.comes(4)
    appointment = await booking(store, booked.patient_id, here.facility, here.since + 5 * HOUR)
    far, _ = await here.comes(6)
    other = await booking(store, far.patient_id, here.facility, clock.now() + timedelta(days=9))
    async with store.transaction() as tx:
        await tx.execute(
            "UPDATE check_in SET visit_id = $1 WHERE check_in_id = ANY($2)", first_scan, [first_scan, at_ward]
        )
        for person, kind, ident in (
            (own, "check-in", came),
            (second, "check-in", at_ward),
            (booked, "booking", appointment),
            (far, "booking", other),
        ):
            await safety.flag(tx, person.patient_id, kind, ident, "suspected-abuse", clock.now())
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        shown = await people(client, here.asks, made)
    assert [one["phone"] for one in shown] == [far.phone_number], "what is flagged is another visit"
    async with store.transaction() as tx:
        kept = await tx.fetch(
            "SELECT patient_id FROM exposure_entry WHERE list_id = $1", UUID(made["list_id"])
        )
    assert [row["patient_id"] for row in kept] == [far.patient_id], "nor are they kept unseen"


@pytest.mark.parametrize("how", ["name", "units", "specialties", "was"])
async def test_s30_never_a_facility_that_is_sensitive_as_a_whole(
    store: Store, clock: FrozenClock, here: Setting, how: str
) -> None:
    if how == "name":
        here.facility = await make_facility(store, clock, name="Trung tâm Phòng, chống HIV/AIDS Thử")
    elif how == "units":
        await here.unit("Phòng OPC")
    elif how == "was":
        closed = await here.unit("Phòng OPC")
        async with store.transaction() as tx:
            await tx.execute(
                "UPDATE facility_unit SET closed_at = $2 WHERE unit_id = $1", closed, clock.now()
            )
    else:
        async with store.transaction() as tx:
            await tx.execute(
                "INSERT INTO facility_specialty (facility_id, specialty, is_declared)"
                " VALUES ($1, 'psychiatry', true)",
                here.facility.facility_id,
            )
    await here.comes(1)
    async with client_of(store, clock) as client:
        refused = await client.post(LISTS, json=here.body(), headers=staff(here.asks))
    assert code_of(refused) == (403, "exposure-not-allowed", "facility_id")


async def test_s30_a_facility_that_became_sensitive_after_the_approval_lists_nobody(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.comes(1)
    async with client_of(store, clock) as client:
        ident = await asked(client, here)
        made = await approved(client, here)
        await client.post(f"{LISTS}/{ident}/decide", json={"approve": True}, headers=staff(here.approves))
        await here.unit("Phòng OPC")
        assert await run(here, ident) is None
        ended = await client.get(f"{LISTS}/{ident}/people", headers=staff(here.asks))
        assert code_of(ended) == (410, "exposure-list-ended", None)
        refused = await client.get(f"{LISTS}/{made['list_id']}/people", headers=staff(here.asks))
        assert code_of(refused) == (403, "exposure-not-allowed", "facility_id")


async def test_a_number_taken_by_a_companion_and_a_scan_sent_later_say_nothing_of_when_somebody_was_there(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    for means in ("companion", "late"):
        await here.comes(1, means=means)
    seen, _ = await here.comes(2, means="counter-qr")
    poster, _ = await here.comes(3, means="poster")
    async with client_of(store, clock) as client:
        shown = await people(client, here.asks, await approved(client, here))
    assert [(one["phone"], one["is_presence"]) for one in shown] == [
        (seen.phone_number, True),
        (poster.phone_number, False),
    ]


async def test_a_long_list_is_made_page_by_page_and_goes_on_where_it_stopped(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    person = await make_citizen(store, clock)
    many = 2 * PAGE + 3
    for number in range(many):
        await check_in(store, person.patient_id, here.facility, here.since + timedelta(seconds=number // 2))
    async with client_of(store, clock) as client:
        ident = await asked(client, here)
        await client.post(f"{LISTS}/{ident}/decide", json={"approve": True}, headers=staff(here.approves))
        async with store.transaction() as tx:
            due = Due(bucket_of(UUID(ident)), clock.now(), JOB, ident)
            assert await tick(tx, store.keys, due, clock.now()) == clock.now()
        half = await client.get(f"{LISTS}/{ident}/people", headers=staff(here.asks))
        assert code_of(half) == (409, "exposure-list-state", None), "no half list is read"
        await run(here, ident)
        shown = await people(client, here.asks, {"list_id": ident}, size=100)
    assert len(shown) == many
    assert [one["came_at"] for one in shown] == sorted(one["came_at"] for one in shown)
    # A page of a hundred visits of one person is one row of that person's log.
    assert len(await reads(store, person.patient_id)) == -(-many // 100)


async def test_a_list_ends_after_a_week_and_never_outlives_its_visits(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    await here.comes(1)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        ends = datetime.fromisoformat(made["expires_at"])
        assert ends == clock.now() + timedelta(days=7)
        clock.advance(seconds=(ends - clock.now()).total_seconds() - 1)
        await sign_in_again(store, clock, here.asks)
        assert len(await people(client, here.asks, made)) == 1
        clock.advance(seconds=1)
        ended = await client.get(f"{LISTS}/{made['list_id']}/people", headers=staff(here.asks))
        assert code_of(ended) == (410, "exposure-list-ended", None), "with the sweeper stopped"
        assert await run(here, made["list_id"]) is None
        async with store.transaction() as tx:
            left = await tx.fetchval(
                "SELECT count(*) FROM exposure_entry WHERE list_id = $1", UUID(made["list_id"])
            )
        assert left == 0
        here.since = (clock.now() - timedelta(days=29)).replace(minute=0, second=0, microsecond=0)
        await sign_in_again(store, clock, here.approves)
        await here.comes(1)
        old = await approved(client, here)
        assert datetime.fromisoformat(old["expires_at"]) == here.since + timedelta(days=30)


async def test_s10_after_a_merge_name_and_log_are_the_survivors(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    person, _ = await here.comes(1)
    survivor, officers = await make_citizen(store, clock), await make_officers(store, clock)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        await merged(store, officers, person.patient_id, survivor.patient_id, clock.now())
        async with store.transaction() as tx:
            await tx.execute("UPDATE person_origin SET proven_at = visible_at, visible_at = $1", clock.now())
        shown = await people(client, here.asks, made)
    assert [one["phone"] for one in shown] == [survivor.phone_number]
    assert len(await reads(store, survivor.patient_id)) == 1


@pytest.mark.parametrize("kind", ["booking", "check-in"])
async def test_s30_a_flag_under_the_merged_book_keeps_the_survivors_visit_off_the_list(
    store: Store, clock: FrozenClock, here: Setting, kind: str
) -> None:
    """Booked under one number, and checked in under the other."""
    person, officers = await make_citizen(store, clock), await make_officers(store, clock)
    survivor, _ = await here.comes(2)
    seen, _ = await here.comes(3)
    at = here.since + HOUR
    if kind == "booking":
        flagged = await booking(store, person.patient_id, here.facility, at)
    else:
        flagged = await check_in(store, person.patient_id, here.facility, at)
    async with store.transaction() as tx:
        await safety.flag(tx, person.patient_id, kind, flagged, "suspected-abuse", clock.now())
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        assert len(await people(client, here.asks, made)) == 2
        await merged(store, officers, person.patient_id, survivor.patient_id, clock.now())
        assert [one["phone"] for one in await people(client, here.asks, made)] == [seen.phone_number]
        again = await approved(client, here)
    async with store.transaction() as tx:
        kept = await tx.fetch(
            "SELECT patient_id FROM exposure_entry WHERE list_id = $1", UUID(again["list_id"])
        )
    assert [row["patient_id"] for row in kept] == [seen.patient_id]


async def test_an_erased_person_stands_on_no_list(store: Store, clock: FrozenClock, here: Setting) -> None:
    person, _ = await here.comes(1)
    async with client_of(store, clock) as client:
        made = await approved(client, here)
        (table,) = [one for one in TABLES if one.table == "exposure_entry"]
        async with store.transaction() as tx:
            assert await delete_some(tx, table, person.patient_id) == 1
        assert await people(client, here.asks, made) == []


async def test_asking_and_deciding_stand_in_the_operators_chain_with_their_basis(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        await approved(client, here, legal_basis="Công văn thử 77/SYT-NVY")
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM admin_event ORDER BY seq DESC LIMIT 2")
    entries = [json.loads(row["entry"]) for row in rows]
    assert [(one["what"], one["operator"], one["reason"]) for one in reversed(entries)] == [
        ("exposure-list:ask", str(here.asks.actor.actor_id), "Công văn thử 77/SYT-NVY"),
        ("exposure-list:approve", str(here.approves.actor.actor_id), "Công văn thử 77/SYT-NVY"),
    ]


async def test_a_contact_phone_serves_where_there_is_no_login_phone(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    person, _ = await here.comes(1)
    async with store.transaction() as tx:
        await tx.execute("UPDATE phone SET role = 'contact' WHERE patient_id = $1", person.patient_id)
        await add_contact(tx, store.keys, person.patient_id, "0912000111", clock.now() + HOUR)
    async with client_of(store, clock) as client:
        (shown,) = await people(client, here.asks, await approved(client, here))
    assert shown["phone"] == "+84912000111"
