"""Counters over the routes: made, shown, called at, printed, closed; and what the phone and the desk get."""

import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pypdfium2
import pytest
import zxingcpp

from identity import budgets
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.clock import local_day
from kernel.paging import encode_cursor
from qr.points import read_point
from store import leases
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import (
    Citizen,
    Doctor,
    make_citizen,
    make_doctor,
    make_facility,
    new_number,
    renew_session,
    sign_in_again,
)
from visits.identification import draw_code

BASE = "/v1/facility/counters"
REASON = "quầy của buổi thử"


def opening(code: str = "A-1", name: str = "Quầy tiếp đón", unit_id: str | None = None) -> dict[str, Any]:
    return {"reason": REASON, "counter": {"code": code, "name": name, "unit_id": unit_id}}


async def make_unit(store: Store, clock: FrozenClock, admin: Doctor, name: str, *, is_sensitive: bool) -> str:
    facility_id = admin.actor.facility_id
    assert facility_id is not None
    new = NewUnit(facility_id=facility_id, kind="department", name=name, is_sensitive=is_sensitive)
    async with store.transaction() as tx:
        return str(await add_unit(tx, new, clock.now()))


class Hall:
    """A facility with an administrator, a clerk and one open counter, over HTTP."""

    def __init__(
        self, store: Store, clock: FrozenClock, client: httpx.AsyncClient, staff: list[Doctor], who: Citizen
    ) -> None:
        self.store, self.clock, self.client = store, clock, client
        self.admin, self.clerk = staff
        self.citizen = who
        self.counter_id = ""

    async def later(self, minutes: int) -> None:
        """Everybody is signed in again after that time."""
        self.clock.advance(minutes=minutes)
        self.clerk.token = await sign_in_again(self.store, self.clock, self.clerk)
        self.citizen.token = await renew_session(self.store, self.clock, self.citizen)

    async def ask(self, by: Any, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        answer = await self.client.request(method, path, json=body, headers=bearer(by.token))
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def screen(self) -> Any:
        return await self.ask(self.clerk, "GET", f"{BASE}/{self.counter_id}/screen")

    async def scan(self, qr: str, expect: int = 201, **more: Any) -> Any:
        body = {"qr": qr, "client_id": str(uuid4())} | more
        return await self.ask(self.citizen, "POST", "/v1/me/check-ins", body, expect)


@pytest.fixture
async def hall(store: Store, clock: FrozenClock) -> AsyncIterator[Hall]:
    facility = await make_facility(store, clock)
    admin = await make_doctor(store, clock, facility, "facility-admin")
    clerk = await make_doctor(store, clock, facility, "clerk")
    citizen = await make_citizen(store, clock)
    async with client_of(store, clock) as client:
        made = Hall(store, clock, client, [admin, clerk], citizen)
        opened = await made.ask(admin, "POST", BASE, opening(), 201)
        made.counter_id = opened["counter_id"]
        yield made


async def test_a_morning_at_one_counter(hall: Hall, store: Store, clock: FrozenClock) -> None:
    came = await hall.scan((await hall.screen())["qr"])
    assert came["how"] == "presence"
    assert (came["ticket"]["number"], came["ticket"]["state"], came["ticket"]["ahead"]) == (1, "waiting", 0)
    typed = {"number": new_number(), "name": "Trần Mẫu", "birth_date": "1980-02-01", "sex": "male"}
    arrived = await hall.ask(
        hall.clerk, "POST", "/v1/facility/arrivals", typed | {"counter_id": hall.counter_id}, 201
    )
    assert arrived["ticket"]["number"] == 2
    code = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    receipt = await hall.ask(
        hall.clerk, "POST", "/v1/facility/check-ins", {"qr": code, "counter_id": hall.counter_id}, 201
    )
    assert receipt["ticket"]["number"] == 1, "the phone's number"
    assert str(hall.citizen.patient_id) not in str(receipt)
    line = await hall.ask(hall.clerk, "GET", f"{BASE}/{hall.counter_id}/line?limit=1")
    assert (line["called"], line["waiting"], [one["number"] for one in line["items"]]) == (None, 2, [1])
    rest = await hall.ask(hall.clerk, "GET", f"{BASE}/{hall.counter_id}/line?limit=1&cursor={line['next']}")
    assert ([one["number"] for one in rest["items"]], rest["next"]) == ([2], None)
    beyond = await hall.ask(
        hall.clerk, "GET", f"{BASE}/{hall.counter_id}/line?cursor={encode_cursor(2**31)}", None, 400
    )
    assert beyond["code"] == "bad-cursor"
    called = await hall.ask(hall.clerk, "POST", f"{BASE}/{hall.counter_id}/calls")
    assert called == {"day": local_day(clock.now()).isoformat(), "number": 1}
    shown = await hall.ask(hall.clerk, "POST", "/v1/facility/tickets/read", {"qr": came["ticket"]["qr"]})
    assert (shown["number"], shown["has_left"], shown["called_at"] is None) == (1, False, False)
    code = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    missed = await hall.ask(
        hall.clerk, "POST", "/v1/facility/check-ins", {"qr": code, "counter_id": hall.counter_id}, 201
    )
    assert (missed["ticket"]["number"], missed["ticket"]["state"]) == (1, "called"), "the desk sends them in"
    assert receipt["ticket"]["state"] == arrived["ticket"]["state"] == "waiting"
    await hall.later(50)
    out = await hall.ask(hall.citizen, "POST", "/v1/me/check-outs", {"qr": (await hall.screen())["qr"]})
    assert out["minutes"] == 50
    listed = await hall.ask(hall.citizen, "GET", "/v1/me/check-ins")
    assert {one["visit"]["minutes"] for one in listed["items"]} == {50}
    assert {one["ticket"]["state"] for one in listed["items"]} == {"over"}
    again = await hall.ask(
        hall.citizen, "POST", "/v1/me/check-outs", {"qr": (await hall.screen())["qr"]}, 409
    )
    assert (again["code"], bool(again["detail"])) == ("not-checked-in", True)


async def test_the_desk_checks_out_by_the_person_s_code(hall: Hall, store: Store, clock: FrozenClock) -> None:
    await hall.scan((await hall.screen())["qr"])
    await hall.later(10)
    code = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    done = await hall.ask(hall.clerk, "POST", "/v1/facility/check-outs", {"qr": code})
    assert done["minutes"] == 10


async def test_a_number_of_another_facility_is_told_as_that(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    came = await hall.scan((await hall.screen())["qr"])
    elsewhere = await make_doctor(store, clock, await make_facility(store, clock), "clerk")
    refused = await hall.ask(
        elsewhere, "POST", "/v1/facility/tickets/read", {"qr": came["ticket"]["qr"]}, 409
    )
    assert refused["code"] == "ticket-elsewhere"


async def test_a_code_61_s_old_says_so_and_what_to_do(hall: Hall, clock: FrozenClock) -> None:
    qr = (await hall.screen())["qr"]
    clock.advance(seconds=61)
    refused = await hall.scan(qr, 410)
    assert (refused["code"], bool(refused["detail"])) == ("qr-expired", True)
    late = await hall.scan(qr, is_late=True)
    assert late["how"] == "number"


async def test_a_printed_poster_reads_back_and_gives_a_number_alone(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    answer = await hall.client.get(f"{BASE}/{hall.counter_id}/poster.pdf", headers=bearer(hall.admin.token))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="quay-A-1.pdf"'
    document = pypdfium2.PdfDocument(io.BytesIO(answer.content))
    assert len(document) == 1
    picture = document[0].render(scale=3).to_pil()
    (found,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    point = read_point(store.keys, found.text, clock.now() + timedelta(days=300))
    assert (getattr(point, "kind", None), getattr(point, "counter", None)) == ("poster", "A-1")
    came = await hall.scan(found.text)
    assert (came["how"], came["ticket"]["number"]) == ("number", 1)


async def test_a_code_is_taken_once_and_free_again_when_closed(hall: Hall) -> None:
    refused = await hall.ask(hall.admin, "POST", BASE, opening(), 409)
    assert refused["code"] == "counter-taken"
    for code in ("a-1", "A 1", "A-1\n", "", "A" * 21):
        await hall.ask(hall.admin, "POST", BASE, opening(code), 400)
    await hall.ask(hall.admin, "POST", f"{BASE}/{hall.counter_id}/close", {"reason": REASON}, 204)
    gone = await hall.ask(hall.clerk, "GET", f"{BASE}/{hall.counter_id}/screen", None, 404)
    assert gone["code"] == "counter-unknown"
    await hall.ask(hall.admin, "POST", BASE, opening(), 201)
    listed = await hall.ask(hall.clerk, "GET", BASE)
    assert [one["code"] for one in listed["items"]] == ["A-1"]


async def test_a_counter_of_another_facility_does_not_exist(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    elsewhere = await make_facility(store, clock)
    clerk = await make_doctor(store, clock, elsewhere, "clerk")
    for method, path in (("GET", "line"), ("GET", "screen"), ("POST", "calls")):
        answer = await hall.ask(clerk, method, f"{BASE}/{hall.counter_id}/{path}", None, 404)
        assert answer["code"] == "counter-unknown"
    qr = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    answer = await hall.ask(
        clerk, "POST", "/v1/facility/check-ins", {"qr": qr, "counter_id": hall.counter_id}, 404
    )
    assert answer["code"] == "counter-unknown"


async def test_a_page_of_check_ins_follows_the_one_before(hall: Hall, clock: FrozenClock) -> None:
    for _ in range(3):
        await hall.scan((await hall.screen())["qr"])
        await hall.later(31)
    seen: list[str] = []
    path = "/v1/me/check-ins?limit=2"
    page = await hall.ask(hall.citizen, "GET", path)
    seen += [one["check_in_id"] for one in page["items"]]
    page = await hall.ask(hall.citizen, "GET", f"{path}&cursor={page['next']}")
    seen += [one["check_in_id"] for one in page["items"]]
    assert (len(seen), len(set(seen)), page["next"]) == (3, 3, None)


async def test_s26_opening_and_closing_take_a_reason_and_leave_a_row(hall: Hall, owner: Store) -> None:
    async def acts() -> list[str]:
        async with owner.transaction() as tx:
            rows = await tx.fetch(
                "SELECT entry FROM admin_event WHERE entry LIKE $1 ORDER BY seq",
                f"%{hall.admin.practitioner_id}%",
            )
        found = [json.loads(row["entry"]) for row in rows]
        return [one["what"] for one in found if one["what"].startswith("facility:counter:")]

    assert await acts() == ["facility:counter:open"]
    close = f"{BASE}/{hall.counter_id}/close"
    for path, body in (
        (BASE, {"counter": {"code": "B", "name": "Quầy B"}}),
        (close, {}),
        (close, {"reason": "x"}),
    ):
        await hall.ask(hall.admin, "POST", path, body, 400)
    await hall.ask(hall.admin, "POST", BASE, opening(), 409)
    await hall.ask(hall.admin, "POST", close, {"reason": REASON}, 204)
    await hall.ask(hall.admin, "POST", close, {"reason": REASON}, 404)
    assert await acts() == ["facility:counter:open", "facility:counter:close"]


@pytest.mark.parametrize(
    ("code", "name", "where"),
    [
        ("PREP-1", "Quầy 7", "code"),
        ("HIV2", "Quầy 7", "code"),
        ("B-7", "Quầy PrEP / HIV", "name"),
        ("B-7", "Phòng khám Tâm thần", "name"),
    ],
)
async def test_s23_a_telling_counter_stands_in_a_sensitive_department_alone(
    hall: Hall, store: Store, clock: FrozenClock, code: str, name: str, where: str
) -> None:
    """There its check-ins are kept from the family; anywhere else its name would say it to them."""
    quiet, plain = [
        await make_unit(store, clock, hall.admin, "Khoa Khám", is_sensitive=sensitive)
        for sensitive in (True, False)
    ]
    for unit_id in (None, plain):
        refused = await hall.ask(hall.admin, "POST", BASE, opening(code, name, unit_id), 409)
        assert (refused["code"], refused["errors"]) == ("counter-sensitive", [{"where": where}])
    await hall.ask(hall.admin, "POST", BASE, opening(code, name, quiet), 201)
    await hall.ask(hall.admin, "POST", BASE, opening("PREPARE", "Quầy chuẩn bị"), 201)


async def test_s23_nobody_is_at_another_unit_than_the_counter_s(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    """Else the family would see the counter of a sensitive department under the name of an ordinary one."""
    quiet, plain = [
        await make_unit(store, clock, hall.admin, "Khoa Khám", is_sensitive=sensitive)
        for sensitive in (True, False)
    ]
    made = await hall.ask(hall.admin, "POST", BASE, opening("K-1", "Quầy 9", quiet), 201)
    qr = draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr
    card = {"number": new_number(), "name": "Trần Mẫu", "birth_date": "1980-02-01", "sex": "male"}
    for path, body in (("check-ins", {"qr": qr}), ("arrivals", card)):
        asked = body | {"counter_id": made["counter_id"]}
        refused = await hall.ask(hall.clerk, "POST", f"/v1/facility/{path}", asked | {"unit_id": plain}, 409)
        assert (refused["code"], refused["errors"]) == ("counter-of-unit", [{"where": "counter_id"}])
        await hall.ask(hall.clerk, "POST", f"/v1/facility/{path}", asked | {"unit_id": quiet}, 201)


async def test_s33_one_administrator_sets_one_poster_at_a_time(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    """Like every other file: a loop of posters fills no threads that others wait for."""
    path = f"{BASE}/{hall.counter_id}/poster.pdf"
    async with store.transaction() as tx:
        lease = await leases.take(tx, hall.admin.practitioner_id, "export", clock.now())
    assert lease is not None
    async with leases.keep(store, clock, lease):
        busy = await hall.client.get(path, headers=bearer(hall.admin.token))
        assert (busy.status_code, busy.json()["code"]) == (429, "export-busy")
    assert (await hall.client.get(path, headers=bearer(hall.admin.token))).status_code == 200


async def test_a_card_or_another_code_at_a_check_in_is_named(
    hall: Hall, store: Store, clock: FrozenClock
) -> None:
    card = "079204000456||Lê Văn Mẫu|31011204|Nam|Số 1 phố Ví Dụ|01072024"
    screen, person = (
        (await hall.screen())["qr"],
        draw_code(store.keys, hall.citizen.patient_id, clock.now()).qr,
    )
    for by, path, scanned, code in (
        (hall.clerk, "/v1/facility/check-ins", card, "scan-is-card"),
        (hall.clerk, "/v1/facility/check-ins", screen, "scan-is-counter"),
        (hall.clerk, "/v1/facility/check-outs", "079204000456", "scan-is-card"),
        (hall.citizen, "/v1/me/check-ins", "https://example.vn/quan-ca-phe", "scan-not-ours"),
        (hall.citizen, "/v1/me/check-ins", person, "scan-is-person"),
        (hall.citizen, "/v1/me/check-outs", card, "scan-is-card"),
    ):
        body = {"qr": scanned} | ({"client_id": str(uuid4())} if path == "/v1/me/check-ins" else {})
        assert (await hall.ask(by, "POST", path, body, 400))["code"] == code, (path, scanned)


async def test_whoever_has_no_number_that_can_be_typed_stands_in_the_line_all_the_same(
    hall: Hall, store: Store, owner: Store, clock: FrozenClock
) -> None:
    """A passport, an old card, nothing at all: nobody is sent away."""
    path, first, second = f"{BASE}/{hall.counter_id}/numbers", str(uuid4()), str(uuid4())
    given = [
        await hall.ask(hall.clerk, "POST", path, {"client_id": one}, 201) for one in (first, second, first)
    ]
    assert [one["number"] for one in given] == [1, 2, 1]
    assert await hall.scan((await hall.screen())["qr"])
    line = await hall.ask(hall.clerk, "GET", f"{BASE}/{hall.counter_id}/line")
    assert [one["number"] for one in line["items"]] == [1, 2, 3]
    async with owner.transaction() as tx:
        noted = "SELECT count(*) FROM desk_arrival WHERE facility_id = $1"
        assert await tx.fetchval(noted, hall.clerk.actor.facility_id) == 0
    async with store.transaction() as tx:
        who = budgets.subject(hall.clerk.practitioner_id.bytes)
        while await budgets.charge(tx, budgets.ARRIVALS_DAY, who, clock.now()):
            pass
    refused = await hall.ask(hall.clerk, "POST", path, {"client_id": str(uuid4())}, 429)
    assert refused["code"] == "too-many"
