"""Who stays in which room: written at the desk, alike for nobody, and a file that is the facility's own."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from healthbook.housekeeping import do_chore
from identity import budgets
from kernel.clock import VIETNAM, local_day
from store.database import Store
from tests.consent.test_presence import Recorder
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Doctor, make_citizen, make_doctor, make_facility, new_number
from visits.lookup.service import Desk, desk_of
from visits.stays import service
from visits.stays.models import NewStay, Who

STAYS = "/v1/facility/stays"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def clerk(store: Store, clock: FrozenClock) -> Doctor:
    return await make_doctor(store, clock, await make_facility(store, clock), "clerk")


def body(clock: FrozenClock, number: str | None, **changes: Any) -> dict[str, Any]:
    who = {"name": "Trần Thị Thử", "birth_date": "1985-03-12", "sex": "female"}
    if number is not None:
        who |= {"number_kind": "national-id", "number": number}
    return {"who": who, "room": "P.301", "since": clock.now().isoformat()} | changes


async def write(client: httpx.AsyncClient, by: Doctor, data: dict[str, Any], key: str | None = None) -> Any:
    headers = bearer(by.token) | ({"Idempotency-Key": key} if key else {})
    return await client.post(STAYS, json=data, headers=headers)


async def table(client: httpx.AsyncClient, by: Doctor, day: Any) -> list[list[str]]:
    answer = await client.get(f"{STAYS}/{day.isoformat()}/table.csv", headers=bearer(by.token))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"stays-{day.isoformat()}.csv" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_an_admission_is_a_line_with_person_room_from_and_to(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    made = await write(client, clerk, body(clock, f"{person.number[:6]} {person.number[6:]}"))
    assert made.status_code == 201, made.text
    stay_id = made.json()["stay_id"]
    day = local_day(clock.now())
    at = f"{clock.now().astimezone(VIETNAM):%d/%m/%Y %H:%M}"
    assert await table(client, clerk, day) == [
        list(service.HEAD),
        [
            "Trần Thị Thử",
            "12/03/1985",
            "Nữ",
            "Số định danh cá nhân",
            person.number,
            "P.301",
            at,
            "",
        ],
    ]
    clock.advance(minutes=10)
    moved = await client.post(
        f"{STAYS}/{stay_id}/move",
        json={"room": "P.402", "at": clock.now().isoformat()},
        headers=bearer(clerk.token),
    )
    assert moved.status_code == 200, moved.text
    clock.advance(minutes=10)
    left = await client.post(
        f"{STAYS}/{moved.json()['stay_id']}/end",
        json={"at": clock.now().isoformat()},
        headers=bearer(clerk.token),
    )
    assert left.status_code == 204, left.text
    rows = await table(client, clerk, day)
    assert [(row[5], row[6][-5:], row[7][-5:]) for row in rows[1:]] == [
        ("P.301", "09:00", "09:10"),
        ("P.402", "09:10", "09:20"),
    ]
    clock.advance(minutes=5)
    ended = await client.post(
        f"{STAYS}/{stay_id}/end", json={"at": clock.now().isoformat()}, headers=bearer(clerk.token)
    )
    assert (ended.status_code, ended.json()["code"]) == (409, "stay-ended")


async def test_a_day_lists_who_was_there_at_any_time_of_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    today = local_day(clock.now())
    for since, until in ((-3, -2), (-2, -1), (-1, None), (0, None)):
        at = clock.now() + timedelta(days=since)
        data = body(clock, None, room=f"P{since}", since=at.isoformat())
        if until is not None:
            data["until"] = (clock.now() + timedelta(days=until)).isoformat()
        assert (await write(client, clerk, data)).status_code == 201
    for back, rooms in ((0, ["P-1", "P0"]), (1, ["P-2", "P-1"]), (2, ["P-3", "P-2"]), (4, [])):
        rows = await table(client, clerk, today - timedelta(days=back))
        assert [row[5] for row in rows[1:]] == rooms, back


async def test_pages_cut_nobody_and_the_file_has_all(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    async with store.transaction() as tx:
        desk = desk_of(clerk.actor, "r", clock.now())
        assert isinstance(desk, Desk)
        for at in range(103):
            new = NewStay(who=Who(name=f"Người {at}"), room="P1", since=clock.now() - timedelta(minutes=at))
            assert isinstance(await service.admit(tx, store.keys, desk, new), UUID)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": 50} | ({"cursor": cursor} if cursor else {})
        path = f"{STAYS}/{local_day(clock.now()).isoformat()}"
        page = (await client.get(path, params=params, headers=bearer(clerk.token))).json()
        seen += [one["who"]["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 103
    rows = await table(client, clerk, local_day(clock.now()))
    assert [row[0] for row in rows[1:]] == seen


async def test_everybody_listed_finds_it_in_the_log_and_only_they(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person, other = await make_citizen(store, clock), await make_citizen(store, clock)
    await write(client, clerk, body(clock, person.number))
    await table(client, clerk, local_day(clock.now()))
    await client.get(f"{STAYS}/{local_day(clock.now()).isoformat()}", headers=bearer(clerk.token))

    async def logged(who: UUID, action: str) -> int:
        async with owner.transaction() as tx:
            found: int = await tx.fetchval(
                "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE $2",
                who,
                f"%{action}%",
            )
        return found

    assert await logged(person.patient_id, "visit:stay:create") == 1
    assert await logged(person.patient_id, "visit:stay:list") == 2
    assert await logged(other.patient_id, "visit:stay") == 0


async def test_another_facility_has_nothing_of_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    made = (await write(client, clerk, body(clock, new_number()))).json()["stay_id"]
    stranger = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
    assert len(await table(client, stranger, local_day(clock.now()))) == 1
    for act, data in (
        ("move", {"room": "x", "at": clock.now().isoformat()}),
        ("end", {"at": clock.now().isoformat()}),
        ("withdraw", {}),
    ):
        refused = await client.post(f"{STAYS}/{made}/{act}", json=data, headers=bearer(stranger.token))
        assert (refused.status_code, refused.json()["code"]) == (404, "stay-unknown"), act


async def test_s19_a_number_that_nobody_has_costs_the_same_and_answers_alike(
    store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    seen = []
    desk = desk_of(clerk.actor, "r", clock.now())
    assert isinstance(desk, Desk)
    for number in (person.number, new_number()):
        recorder = Recorder(store)
        who = Who(name="Ai Đó", number_kind="national-id", number=number)
        async with recorder.transaction() as tx:
            made = await service.admit(tx, store.keys, desk, NewStay(who=who, room="P1", since=clock.now()))
            assert isinstance(made, UUID)
            await service.of_day(tx, store.keys, desk, local_day(clock.now()), service.FIRST, 1)
            await service.end(tx, desk, made, clock.now())
        seen.append(recorder.statements)
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"since": timedelta(days=-7, seconds=-1)}, "since"),
        ({"since": timedelta(days=1, seconds=1)}, "since"),
        ({"until": timedelta(seconds=-1)}, "until"),
        ({"until": timedelta(days=366)}, "until"),
        ({"who": {"name": "A B", "number": "123456789012"}}, "who.number_kind"),
        ({"who": {"name": "A B", "number_kind": "national-id"}}, "who.number"),
        ({"who": {"name": "A B", "number_kind": "national-id", "number": "12345678"}}, "who.number"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_place(
    client: httpx.AsyncClient, clock: FrozenClock, clerk: Doctor, changes: dict[str, Any], where: str
) -> None:
    told = {
        name: (clock.now() + value).isoformat() if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    refused = await write(client, clerk, body(clock, new_number()) | told)
    assert (refused.status_code, refused.json()["code"]) == (400, "stay-invalid"), refused.text
    assert refused.json()["errors"] == [{"where": where}]


async def test_nobody_moves_after_having_left(
    client: httpx.AsyncClient, clock: FrozenClock, clerk: Doctor
) -> None:
    until = clock.now() + timedelta(hours=5)
    made = (await write(client, clerk, body(clock, None, until=until.isoformat()))).json()["stay_id"]
    for at, expected in ((until + timedelta(minutes=1), 400), (until, 200)):
        answer = await client.post(
            f"{STAYS}/{made}/move", json={"room": "P.2", "at": at.isoformat()}, headers=bearer(clerk.token)
        )
        assert answer.status_code == expected, answer.text
        if expected == 400:
            assert (answer.json()["code"], answer.json()["errors"]) == ("stay-invalid", [{"where": "at"}])


async def test_lists_of_two_days_at_once_do_not_wait_in_a_circle(
    store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    """A move to another room turns the order of two people around from one day to the next."""
    desk = desk_of(clerk.actor, "r", clock.now())
    assert isinstance(desk, Desk)
    made: list[UUID] = []
    for minute in range(2):
        person = await make_citizen(store, clock)
        since = clock.now() - timedelta(days=2) + timedelta(minutes=minute)
        who = Who(name="Ai Đó", number_kind="national-id", number=person.number)
        async with store.transaction() as tx:
            stay_id = await service.admit(tx, store.keys, desk, NewStay(who=who, room="1", since=since))
        assert isinstance(stay_id, UUID)
        made.append(stay_id)
    async with store.transaction() as tx:
        await service.move(tx, store.keys, desk, made[0], "2", clock.now() - timedelta(days=1))

    async def listed(back: int) -> list[str]:
        day = local_day(clock.now() - timedelta(days=back))
        async with store.transaction() as tx:
            return [one.room for one in await service.of_day(tx, store.keys, desk, day, service.FIRST, 50)]

    for _ in range(40):
        assert [len(rooms) for rooms in await asyncio.gather(*(listed(back) for back in (2, 0, 2, 0)))] == [
            2,
            2,
            2,
            2,
        ]


async def test_who_stands_on_a_page_twice_reads_it_once(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    person = await make_citizen(store, clock)
    made = (await write(client, clerk, body(clock, person.number))).json()["stay_id"]
    clock.advance(minutes=1)
    moved = {"room": "P.2", "at": clock.now().isoformat()}
    await client.post(f"{STAYS}/{made}/move", json=moved, headers=bearer(clerk.token))
    assert len(await table(client, clerk, local_day(clock.now()))) == 3
    async with owner.transaction() as tx:
        logged = await tx.fetchval(
            "SELECT count(*) FROM access_log WHERE patient_id = $1 AND entry LIKE '%visit:stay:list%'",
            person.patient_id,
        )
    assert logged == 1


@pytest.mark.parametrize("date", ["1985-03-12\n", "85", "1985-3-1", "1985-03-12T00:00"])
async def test_a_birth_date_of_another_shape_is_refused(
    client: httpx.AsyncClient, clock: FrozenClock, clerk: Doctor, date: str
) -> None:
    data = body(clock, None)
    data["who"]["birth_date"] = date
    assert (await write(client, clerk, data)).status_code == 400


async def test_a_repeat_is_one_line_and_a_mistake_goes(
    client: httpx.AsyncClient, clock: FrozenClock, clerk: Doctor
) -> None:
    data, key = body(clock, new_number()), uuid4().hex
    first = await write(client, clerk, data, key)
    again = await write(client, clerk, data, key)
    assert first.json() == again.json()
    assert len(await table(client, clerk, local_day(clock.now()))) == 2
    path = f"{STAYS}/{first.json()['stay_id']}/withdraw"
    assert (await client.post(path, headers=bearer(clerk.token))).status_code == 204
    assert len(await table(client, clerk, local_day(clock.now()))) == 1
    assert (await client.post(path, headers=bearer(clerk.token))).status_code == 404


async def test_s35_no_name_or_room_starts_a_formula_or_a_line(
    client: httpx.AsyncClient, clock: FrozenClock, clerk: Doctor
) -> None:
    data = body(clock, None, room="@SUM(A1)\nx")
    data["who"]["name"] = '=HYPERLINK("http://x")'
    assert (await write(client, clerk, data)).status_code == 201
    (_, row) = await table(client, clerk, local_day(clock.now()))
    assert row[0].startswith("'=")
    assert row[5].startswith("'@")
    assert "\n" not in row[5]


async def test_names_and_numbers_lie_sealed_and_go_a_month_after_the_end(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    number = new_number()
    stay_id = UUID((await write(client, clerk, body(clock, number))).json()["stay_id"])
    async with owner.transaction() as tx:
        row = await tx.fetchrow("SELECT * FROM stay WHERE stay_id = $1", stay_id)
    assert row is not None
    kept = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    for secret in (number.encode(), "Thử".encode()):
        assert secret not in kept
    await client.post(
        f"{STAYS}/{stay_id}/end", json={"at": clock.now().isoformat()}, headers=bearer(clerk.token)
    )
    for later, left in ((timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)):
        async with store.transaction() as tx:
            await do_chore(tx, "stays", clock.now() + later)
        async with owner.transaction() as tx:
            assert await tx.fetchval("SELECT count(*) FROM stay WHERE stay_id = $1", stay_id) == left


@pytest.mark.parametrize("day", ["2026-02-30", "0000-01-01", "2026-11-21%0A", "x"])
async def test_a_day_that_is_none_is_refused(client: httpx.AsyncClient, clerk: Doctor, day: str) -> None:
    for path in (f"{STAYS}/{day}", f"{STAYS}/{day}/table.csv"):
        answer = await client.get(path, headers=bearer(clerk.token))
        assert answer.status_code in (400, 404), answer.text


async def test_s31_nobody_fills_the_logs_of_others_by_listing_them(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, clerk: Doctor
) -> None:
    async with store.transaction() as tx:
        who = budgets.subject(clerk.practitioner_id.bytes)
        while await budgets.charge(tx, budgets.STAY_LISTS_DAY, who, clock.now()):
            pass
    day = local_day(clock.now()).isoformat()
    for path in (f"{STAYS}/{day}", f"{STAYS}/{day}/table.csv"):
        refused = await client.get(path, headers=bearer(clerk.token))
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many")
