"""What a kiosk answers to a code and to a card: presence for the person's own code, a number for every card,
and nothing by which a card tells whether somebody has its number, what the name is, or who is here (S19)."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from healthbook.dispatch import dispatch
from identity import budgets
from identity.people import IdentifierClaim, PersonClaim, create_person
from identity.units.models import NewUnit
from identity.units.service import add_unit
from kernel.ids import bucket_of
from qr import tokens
from qr.points import poster_code, screen_code
from store.database import Store, Tx
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.counters import make_counter
from tests.support.http import bearer, client_of
from tests.support.kiosks import Kiosk, make_place, set_up
from tests.support.people import (
    Citizen,
    make_citizen,
    make_doctor,
    make_facility,
    make_machine,
    new_number,
)
from visits.arrivals import arrive, arrived_today
from visits.counters.service import close_counter
from visits.identification import draw_code
from visits.presence import check_in_by_scan, presence_of, ticket_of
from visits.tickets.service import call_next

SCANS = "/v1/kiosk/scans"
NAME_HEX = "Nguyễn Thị Thử Nghiệm".encode().hex()


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def kiosk(store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> Kiosk:
    return await set_up(client, await make_place(store, clock))


@pytest.fixture
async def citizen(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


def cccd(number: str, name: str = "Trần Thị Thử", birth: str = "12031985") -> str:
    return f"{number}||{name}|{birth}|Nữ|Phường Ví Dụ, Hà Nội|10042021"


def bhyt(number: str, name: str = NAME_HEX) -> str:
    return f"{number}|{name}|15/02/1970|2|-|01 - 028|01/01/2026|-|20/12/2025|x|-|4| 01/10/2027|y-1|4|5a|$"


async def scan(client: httpx.AsyncClient, kiosk: Kiosk, text: str) -> httpx.Response:
    return await client.post(SCANS, json={"scan": text}, headers=kiosk.headers)


async def number(client: httpx.AsyncClient, kiosk: Kiosk, text: str) -> int:
    done = await scan(client, kiosk, text)
    assert done.status_code == 200, done.text
    return int(done.json()["number"])


async def rows(owner: Store, sql: str, *args: object) -> int:
    async with owner.transaction() as tx:
        return int(await tx.fetchval(f"SELECT count(*) FROM {sql}", *args))


async def test_a_number_that_was_called_already_is_shown_as_called(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    texts = [draw_code(store.keys, citizen.patient_id, clock.now()).qr, cccd(new_number())]
    first = [(await scan(client, kiosk, text)).json() for text in texts]
    assert [one["state"] for one in first] == ["waiting", "waiting"]
    async with store.transaction() as tx:
        for _ in texts:
            await call_next(tx, kiosk.place.counter, clock.now())
    again = [(await scan(client, kiosk, text)).json() for text in texts]
    assert again == [one | {"state": "called"} for one in first]


# ---- the person's own code


async def test_s7_the_persons_own_code_is_presence_and_one_number(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    first = await scan(client, kiosk, qr)
    assert first.json() == {
        "number": 1,
        "day": "2026-11-21",
        "counter_id": str(kiosk.place.counter.counter_id),
        "counter_code": "A1",
        "valid_until": "2026-11-21T02:30:00Z",
        "state": "waiting",
        "is_check_in": True,
    }
    assert (await scan(client, kiosk, qr)).json() == first.json()
    clock.advance(minutes=2)
    fresh = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    assert (await scan(client, kiosk, fresh)).json() == first.json(), "the same number within its window"
    async with store.transaction() as tx:
        where = citizen.patient_id, kiosk.place.facility.facility_id
        assert await presence_of(tx, *where, clock.now()) is not None
    noted = "check_in WHERE patient_id = $1 AND means = 'citizen-qr' AND recorded_by = $2"
    assert await rows(owner, noted, citizen.patient_id, kiosk.kiosk_id) == 2


async def test_a_late_a_foreign_and_another_code_say_why(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    elsewhere = await make_machine(store, clock, await make_facility(store, clock), "kiosk")
    spent = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    async with store.transaction() as tx:
        await check_in_by_scan(tx, store.keys, elsewhere.actor, spent, request_id="r", now=clock.now())
    old = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    facility, until = "01028", clock.now().replace(year=2027)
    doctors = tokens.sign(store.keys, "doctor-request", {"k": "v"}, until, clock.now())
    key_id, until_seconds = store.keys.signer("qr")[0], int(until.timestamp())
    forged = tokens.sign_payload(Ed25519PrivateKey.generate(), key_id, "citizen", {}, until_seconds)
    for text, code in (
        (spent, "code-spent"),
        (screen_code(store.keys, facility, "A1", clock.now()).qr, "qr-wrong-kind"),
        (poster_code(store.keys, facility, "A1", clock.now()).qr, "qr-wrong-kind"),
        (doctors, "qr-wrong-kind"),
        ("01028ABC1234-H", "qr-wrong-kind"),
        (forged, "qr-signature-invalid"),
        ("079204000|x|Trần Thị Thử|12031985|Nữ|Hà Nội|10042021", "card-number-invalid"),
        (cccd(new_number(), birth="31021985"), "card-date-impossible"),
        ("079204000456|x|y", "card-incomplete"),
        ("https://example.vn/", "scan-unknown"),
    ):
        refused = await scan(client, kiosk, text)
        assert refused.json()["code"] == code, text
        assert refused.json()["detail"], "and the next step"
    clock.advance(seconds=60)
    assert (await scan(client, kiosk, old)).json()["code"] == "qr-expired"


# ---- a card


class Recorder(Store):
    """A store whose transactions write down each statement."""

    def __init__(self, inner: Store) -> None:
        self.inner, self.keys, self.blobs = inner, inner.keys, inner.blobs
        self.statements: list[str] = []

    @asynccontextmanager
    async def transaction(self, *, behind: bool = False) -> AsyncIterator[Tx]:
        async with self.inner.transaction(behind=behind) as tx:
            with self._listening(tx):
                yield tx

    @contextmanager
    def _listening(self, tx: Tx) -> Iterator[None]:
        def note(record: Any) -> None:
            self.statements.append(" ".join(record.query.split()))

        tx.add_query_logger(note)
        try:
            yield
        finally:
            tx.remove_query_logger(note)


async def test_s19_a_card_of_anybody_and_of_nobody_gets_the_same_answer_by_the_same_statements(
    store: Store, owner: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    frozen, minor, present = [
        await make_citizen(store, clock, birth_date=born)
        for born in ("1980-02-03", "2016-02-03", "1980-02-03")
    ]
    async with owner.transaction() as tx:
        await tx.execute("UPDATE citizen SET state = 'frozen' WHERE patient_id = $1", frozen.patient_id)
    recorder = Recorder(store)
    async with client_of(recorder, clock) as client:
        await scan(client, kiosk, draw_code(store.keys, present.patient_id, clock.now()).qr)
        texts = {
            "nobody": cccd(new_number()),
            "right": cccd(citizen.number, citizen.name),
            "wrong name": cccd((await make_citizen(store, clock)).number, "Lê Văn Khác"),
            "wrong birth": cccd((await make_citizen(store, clock)).number, birth="01011950"),
            "frozen": cccd(frozen.number),
            "child": cccd(minor.number),
            "here now": cccd(present.number),
            "relatives": cccd((await make_citizen(store, clock)).number) + "||Phạm Văn Cha|Nguyễn Thị Mẹ|",
        }
        seen = {}
        for kind, text in texts.items():
            recorder.statements.clear()
            done = await scan(client, kiosk, text)
            body = done.json() | {"number": "n"}
            headers = {k: v for k, v in done.headers.items() if k not in ("x-request-id", "content-length")}
            seen[kind] = (done.status_code, body, headers, list(recorder.statements))
    assert len(seen["nobody"][3]) > 8
    for kind, outcome in seen.items():
        assert outcome == seen["nobody"], kind


async def test_s19_insurance_cards_too(store: Store, clock: FrozenClock, kiosk: Kiosk, owner: Store) -> None:
    known = "7912345678"
    async with store.transaction() as tx:
        claim = PersonClaim(identifiers=[IdentifierClaim("insurance-number", known)], name="Trần Thị Thử")
        patient_id = await create_person(tx, store.keys, claim, "import", None, clock.now())
    recorder = Recorder(store)
    outcomes = []
    async with client_of(recorder, clock) as client:
        for text in (bhyt("GD479" + known), bhyt("GD4790100000999"), bhyt("GD4790100000998", "zz")):
            recorder.statements.clear()
            done = await scan(client, kiosk, text)
            outcomes.append((done.status_code, done.json() | {"number": 0}, list(recorder.statements)))
        again = await number(client, kiosk, bhyt(known))
        assert again == 1, "the card with ten digits is the card with fifteen"
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert (
        await rows(owner, "access_log WHERE patient_id = $1 AND entry LIKE '%visit:card:number%'", patient_id)
        == 2
    )


async def test_s7_a_card_opens_neither_presence_nor_a_visit_nor_tier_d(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    done = await scan(client, kiosk, cccd(citizen.number))
    assert done.json()["is_check_in"] is False
    assert set(done.json()) == {
        *("number", "day", "counter_id", "counter_code", "valid_until", "state", "is_check_in")
    }
    facility_id = kiosk.place.facility.facility_id
    async with store.transaction() as tx:
        assert await presence_of(tx, citizen.patient_id, facility_id, clock.now()) is None
        asking = UUID(int=1)
        assert await ticket_of(tx, citizen.patient_id, facility_id, asking, clock.now()) is None
        assert not await arrived_today(tx, citizen.patient_id, facility_id, clock.now())
    for table in ("check_in", "visit"):
        assert await rows(owner, f"{table} WHERE patient_id = $1", citizen.patient_id) == 0


async def test_a_card_keeps_its_number_for_thirty_minutes(
    client: httpx.AsyncClient, clock: FrozenClock, kiosk: Kiosk
) -> None:
    one, other = cccd(new_number()), cccd(new_number())
    assert await number(client, kiosk, one) == 1
    assert await number(client, kiosk, other) == 2
    clock.advance(minutes=29)
    assert await number(client, kiosk, "\ufeff" + one + "\r\n") == 1
    assert await number(client, kiosk, one.partition("|")[0]) == 1, "the number alone, typed or as a bar code"
    clock.advance(minutes=1)
    assert await number(client, kiosk, one) == 3


async def test_s23_a_picture_of_a_card_does_not_tell_that_the_person_is_here(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    own = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    assert await number(client, kiosk, own) == 1
    clock.advance(minutes=5)
    stranger = (await scan(client, kiosk, cccd(citizen.number))).json()
    assert stranger["number"] == 2
    assert stranger["valid_until"] == "2026-11-21T02:35:00Z", "of now, not of when the person came"


async def test_a_clerk_who_types_the_number_finds_the_cards_place_in_the_line(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    clerk = await make_doctor(store, clock, kiosk.place.facility, "clerk")
    for whose in (citizen.number, new_number()):
        given = await number(client, kiosk, cccd(whose))
        async with store.transaction() as tx:
            done = await arrive(
                tx,
                store.keys,
                clerk.actor,
                whose,
                counter_id=kiosk.place.counter.counter_id,
                request_id="r",
                now=clock.now(),
            )
        assert getattr(done, "ticket").number == given  # noqa: B009 - Typed or Refused


async def test_s19_a_clerk_who_typed_the_number_first_changes_nothing_for_its_card(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    """Else a card would tell whether the number has an owner: by the place that the clerk's typing took."""
    clerk = await make_doctor(store, clock, kiosk.place.facility, "clerk")
    gaps = []
    for whose in (citizen.number, new_number()):
        async with store.transaction() as tx:
            where = kiosk.place.counter.counter_id
            done = await arrive(
                tx, store.keys, clerk.actor, whose, counter_id=where, request_id="r", now=clock.now()
            )
        typed = getattr(done, "ticket").number  # noqa: B009 - Typed or Refused
        gaps.append(await number(client, kiosk, cccd(whose)) - typed)
    assert gaps == [1, 1]


async def test_whose_number_it_is_is_told_once_a_day_and_finds_every_scan_in_the_log(
    client: httpx.AsyncClient, store: Store, owner: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    nobody = new_number()
    for text in (cccd(citizen.number), cccd(citizen.number, "Ai Đó"), cccd(nobody)):
        assert (await scan(client, kiosk, text)).status_code == 200
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(citizen.patient_id), clock.now()):
            if event.patient_id == citizen.patient_id:
                await dispatch(tx, store.keys, event, clock.now())
    inbox = (await client.get("/v1/me/notifications", headers=bearer(citizen.token))).json()["items"]
    told = [item for item in inbox if item["type"] == "card-shown"]
    assert len(told) == 1
    assert str(kiosk.place.counter.counter_id) not in str(told), "not at which counter (S23)"
    log = (await client.get("/v1/me/access-log", headers=bearer(citizen.token))).json()["items"]
    lines = [item for item in log if item["action"] == "visit:card:number"]
    assert lines
    assert all(item["facility_name"] == kiosk.place.facility.name for item in lines), (
        "where it was, in the log"
    )
    logged = "access_log WHERE patient_id = $1 AND entry LIKE '%visit:card:number%'"
    assert await rows(owner, logged, citizen.patient_id) == 2
    assert await rows(owner, "outbox WHERE event = 'visit.card-unknown'") >= 1


async def test_nothing_of_a_card_is_kept_anywhere(
    fresh_owner: Store, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    whose, name, parent = "001170000987", "Bùi Quỳnh Chỉ Một", "Phạm Văn Duy Nhất"
    async with client_of(fresh_owner, clock) as client:
        kiosk = await set_up(client, await make_place(fresh_owner, clock))
        text = cccd(whose, name, "15021970") + f"||{parent}|"
        assert (await scan(client, kiosk, text)).status_code == 200
        assert (await scan(client, kiosk, text.replace("15021970", "31021970"))).status_code == 400
    async with fresh_owner.transaction() as tx:
        tables = await tx.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        for table in tables:
            for word in (whose, name, parent, "Phường Ví Dụ"):
                found = await tx.fetchval(
                    f"SELECT count(*) FROM {table['name']} t WHERE t::text LIKE '%' || $1 || '%'"
                    " OR t::text LIKE '%' || $2 || '%'",
                    word,
                    word.encode().hex(),
                )
                assert found == 0, (table["name"], word)
        assert await tx.fetchval("SELECT count(*) FROM queue_ticket") == 1, "it is this database"
    said = capsys.readouterr()
    assert not any(word in said.out + said.err for word in (whose, name, parent))


# ---- where, and how often


async def test_a_kiosk_gives_numbers_at_its_own_counter_alone(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    await make_counter(store, clock, kiosk.place.facility, "B2")
    done = await scan(client, kiosk, cccd(new_number()))
    assert done.json()["counter_code"] == "A1"
    other = await set_up(client, await make_place(store, clock, "A1"))
    for extra in ({"counter_id": str(other.place.counter.counter_id)}, {"unit_id": str(UUID(int=7))}):
        named = {"scan": cccd(new_number())} | extra
        refused = await client.post(SCANS, json=named, headers=kiosk.headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid-field")


@pytest.mark.parametrize(
    "budget", [budgets.KIOSK_SCANS_MINUTE, budgets.KIOSK_SCANS_HOUR, budgets.KIOSK_SCANS_DAY_FACILITY]
)
async def test_s33_device_and_facility_are_charged_before_the_text_is_looked_at(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, budget: budgets.Budget
) -> None:
    is_device = budget is not budgets.KIOSK_SCANS_DAY_FACILITY
    who = kiosk.kiosk_id if is_device else kiosk.place.facility.facility_id
    assert (await scan(client, kiosk, "https://example.vn/")).json()["code"] == "scan-unknown"
    async with store.transaction() as tx:
        for _ in range(budget.limit - 1):
            assert await budgets.charge(tx, budget, budgets.subject(who.bytes), clock.now())
            if budget.limit > 5000:
                await tx.execute(
                    "UPDATE attempt_budget SET used = $2 WHERE kind = $1", budget.kind, budget.limit
                )
                break
    for text in ("x", cccd(new_number())):
        over = await scan(client, kiosk, text)
        assert (over.status_code, over.json()["code"]) == (429, "too-many")
        assert int(over.headers["retry-after"]) > 0


async def test_s33_whoever_shows_invented_numbers_stops_a_kiosk_for_a_minute_and_no_own_code(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    shown = [(await scan(client, kiosk, new_number())).status_code for _ in range(20)]
    assert shown == [200] * budgets.KIOSK_SCANS_MINUTE.limit + [429] * 8
    over = await scan(client, kiosk, new_number())
    assert int(over.headers["retry-after"]) <= 60
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    own = await scan(client, kiosk, qr)
    assert (own.status_code, own.json()["is_check_in"]) == (200, True), own.text
    forged = await scan(client, kiosk, f"{qr[:-4]}AAAA")
    assert forged.json()["code"] == "too-many", "a code that is wrong is charged as a card is"
    clock.advance(minutes=1)
    assert (await scan(client, kiosk, new_number())).status_code == 200


async def test_a_card_is_taken_twenty_times_a_day_at_all_kiosks_together(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    other = await set_up(client, await make_place(store, clock))
    for whose in (citizen.number, new_number()):
        for turn in range(budgets.KIOSK_CARDS_DAY.limit):
            at = kiosk if turn % 2 else other
            clock.advance(seconds=10)
            # However the card is written, it is the same card.
            text = cccd(whose, f"Tên {turn}") if turn % 3 else f" {whose}\n"
            assert (await scan(client, at, text)).status_code == 200
        over = await scan(client, kiosk, cccd(whose))
        assert (over.status_code, over.json()["code"]) == (429, "too-many")


async def test_an_enrolled_kiosk_acts_for_no_other_counter_and_no_other_unit_of_its_facility(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kiosk: Kiosk, citizen: Citizen
) -> None:
    facility, own = kiosk.place.facility, kiosk.place.counter.counter_id
    unit = NewUnit(facility_id=facility.facility_id, kind="emergency", name="Cấp cứu")
    async with store.transaction() as tx:
        unit_id = await add_unit(tx, unit, clock.now())
    other = await make_counter(store, clock, facility, "B2", unit_id)
    for named, code in (
        ({"counter_id": str(other.counter_id)}, "counter-unknown"),
        ({"unit_id": str(unit_id)}, "unit-unknown"),
        ({"counter_id": str(own), "unit_id": str(unit_id)}, "unit-unknown"),
        ({"counter_id": str(own)}, None),
        ({}, None),
    ):
        qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
        done = await client.post("/v1/facility/check-ins", json={"qr": qr} | named, headers=kiosk.headers)
        assert done.json().get("code") == code, named
    line = "/v1/facility/counters/{}/line"
    assert (await client.get(line.format(own), headers=kiosk.headers)).status_code == 200
    strange = await client.get(line.format(other.counter_id), headers=kiosk.headers)
    assert (strange.status_code, strange.json()["code"]) == (404, "counter-unknown")
    async with store.transaction() as tx:
        await close_counter(tx, facility.facility_id, own, clock.now())
    qr = draw_code(store.keys, citizen.patient_id, clock.now()).qr
    over = await client.post("/v1/facility/check-ins", json={"qr": qr}, headers=kiosk.headers)
    assert over.json()["code"] == "kiosk-not-placed"
