"""Questions at a kiosk, its counter's screen, and what its payment terminal said."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.knowledge.service import articles, review, withdraw
from identity import budgets
from qr.points import Point, read_point
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.kiosks import Kiosk, make_place, set_up
from tests.support.people import make_doctor, make_machine
from visits.kiosk.payments import forget
from visits.kiosk.policy import is_card_number, may_move

PAYMENTS, LISTED = "/v1/kiosk/payments", "/v1/facility/kiosk-payments"


@pytest.fixture
async def client(fresh_store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(fresh_store, clock) as opened:
        yield opened


@pytest.fixture
async def kiosk(fresh_store: Store, clock: FrozenClock, client: httpx.AsyncClient) -> Kiosk:
    return await set_up(client, await make_place(fresh_store, clock))


# ---- questions


async def publish(store: Store, clock: FrozenClock, *slugs: str) -> None:
    async with store.transaction() as tx:
        for slug in slugs:
            await review(tx, slug, "BS. Lê Thị Bình", "001/BYT-CCHN", date(2026, 11, 20), clock.now())


async def ask(client: httpx.AsyncClient, kiosk: Kiosk, question: str) -> list[dict[str, Any]]:
    done = await client.post("/v1/kiosk/questions", json={"question": question}, headers=kiosk.headers)
    assert done.status_code == 200, done.text
    items: list[dict[str, Any]] = done.json()["items"]
    return items


async def test_only_reviewed_articles_answer_and_word_for_word(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    question = "Tôi bị tăng huyết áp, bao nhiêu là cao?"
    assert await ask(client, kiosk, question) == []
    empty = await client.post("/v1/kiosk/questions", json={"question": question}, headers=kiosk.headers)
    assert "hỏi nhân viên" in empty.json()["text_vi"]
    assert "ask the staff" in empty.json()["text_en"]
    await publish(fresh_store, clock, "tang-huyet-ap", "benh-tim")
    (found,) = await ask(client, kiosk, question)
    written = articles()["tang-huyet-ap"]
    assert (found["slug"], found["title_vi"], found["reviewer"]) == (
        "tang-huyet-ap",
        written.title_vi,
        "BS. Lê Thị Bình",
    )
    answered = await client.post("/v1/kiosk/questions", json={"question": question}, headers=kiosk.headers)
    assert (answered.json()["text_vi"], answered.json()["text_en"]) == (None, None)
    assert {one["text_vi"] for one in found["paragraphs"]} <= {one.text_vi for one in written.paragraphs}
    titles = await client.get("/v1/kiosk/articles", headers=kiosk.headers)
    assert [item["slug"] for item in titles.json()["items"]] == ["benh-tim", "tang-huyet-ap"]
    async with fresh_store.transaction() as tx:
        assert await withdraw(tx, "tang-huyet-ap", clock.now())
    assert await ask(client, kiosk, question) == []


@pytest.mark.parametrize(
    ("question", "slugs"),
    [
        ("huyet ap cao", ["tang-huyet-ap"]),
        ("TĂNG HUYẾT ÁP", ["tang-huyet-ap"]),
        ("đau tim", ["benh-tim"]),
        ("mỡ máu", ["roi-loan-lipid-mau"]),
        ("đường huyết cao", ["dai-thao-duong"]),
        ("Rối loạn chuyển hóa là gì", ["roi-loan-chuyen-hoa", "roi-loan-lipid-mau"]),
        ("đau bụng", []),
        ("bác sĩ nào giỏi", []),
        ("bệnh", []),
        ("?!", []),
    ],
)
async def test_a_question_finds_what_it_is_about(
    client: httpx.AsyncClient,
    fresh_store: Store,
    clock: FrozenClock,
    kiosk: Kiosk,
    question: str,
    slugs: list[str],
) -> None:
    await publish(fresh_store, clock, *articles())
    assert [found["slug"] for found in await ask(client, kiosk, question)] == slugs


async def test_what_was_asked_is_kept_nowhere(
    fresh_owner: Store, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client_of(fresh_owner, clock) as client:
        kiosk = await set_up(client, await make_place(fresh_owner, clock))
        await ask(client, kiosk, "zbtqx hỏi riêng")
    async with fresh_owner.transaction() as tx:
        for table in await tx.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ):
            name = table["name"]
            assert not await tx.fetchval(f"SELECT count(*) FROM {name} t WHERE t::text LIKE '%zbtqx%'"), name
        assert await tx.fetchval("SELECT count(*) FROM kiosk") == 1, "it is this database that was asked"
    assert "zbtqx" not in "".join(capsys.readouterr())


async def test_a_kiosk_asks_so_often_an_hour(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    async with fresh_store.transaction() as tx:
        for _ in range(budgets.KIOSK_QUESTIONS_HOUR.limit):
            counted = budgets.subject(kiosk.kiosk_id.bytes)
            await budgets.charge(tx, budgets.KIOSK_QUESTIONS_HOUR, counted, clock.now())
    over = await client.post("/v1/kiosk/questions", json={"question": "tim"}, headers=kiosk.headers)
    assert (over.status_code, over.json()["code"]) == (429, "too-many")


# ---- the screen


async def test_the_screen_shows_its_own_counter_by_its_public_codes(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    shown = (await client.get("/v1/kiosk/screen", headers=kiosk.headers)).json()
    point = read_point(fresh_store.keys, shown["qr"], clock.now())
    assert isinstance(point, Point)
    assert (point.kind, point.counter) == ("counter", kiosk.place.counter.code)
    assert (shown["draw_again_at"], shown["expires_at"]) == ("2026-11-21T02:00:30Z", "2026-11-21T02:01:00Z")
    drawn = await client.get("/v1/kiosk/screen.svg", headers=kiosk.headers)
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert drawn.text.startswith("<svg")
    assert kiosk.place.facility.name not in shown["qr"] + drawn.text


# ---- payments


async def say(client: httpx.AsyncClient, kiosk: Kiosk, reference: str, **said: Any) -> httpx.Response:
    body = {"reference": reference, "said": said}
    return await client.post(PAYMENTS, json=body, headers=kiosk.headers)


async def test_a_payment_is_a_reference_and_how_it_ended(client: httpx.AsyncClient, kiosk: Kiosk) -> None:
    ticket = {"day": "2026-11-21", "number": 7}
    started = await say(client, kiosk, "VNPT/2026-000123", state="started", ticket=ticket)
    assert started.json() == {
        "reference": "VNPT/2026-000123",
        "kiosk_id": str(kiosk.kiosk_id),
        "counter_id": str(kiosk.place.counter.counter_id),
        "state": "started",
        "ticket_day": "2026-11-21",
        "ticket_number": 7,
        "noted_at": "2026-11-21T02:00:00Z",
        "moved_at": "2026-11-21T02:00:00Z",
    }
    paid = await say(client, kiosk, "VNPT/2026-000123", state="paid")
    assert (paid.json()["state"], paid.json()["ticket_number"]) == ("paid", 7)
    assert (await say(client, kiosk, "VNPT/2026-000123", state="paid")).json() == paid.json()
    for state in ("started", "failed", "cancelled"):
        over = await say(client, kiosk, "VNPT/2026-000123", state=state)
        assert (over.status_code, over.json()["code"]) == (409, "payment-ended")


@pytest.mark.parametrize(
    "extra",
    [
        {"amount": 125000},
        {"card_number": "4111111111111111"},
        {"patient_id": "01985e2c-7a00-7abc-8def-0123456789ab"},
        {"name": "Trần Thị Thử"},
    ],
)
async def test_a_payment_takes_no_sum_no_card_and_no_person(
    client: httpx.AsyncClient, kiosk: Kiosk, extra: dict[str, Any]
) -> None:
    refused = await say(client, kiosk, "TX-0001", state="paid", **extra)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-field")


@pytest.mark.parametrize(
    "reference",
    ["4111111111111111", "4111-1111-1111-1111", "TX/4111 1111", "378282246310005", "x:9704000000000018"],
)
async def test_what_looks_like_a_card_number_is_no_reference(
    client: httpx.AsyncClient, fresh_store: Store, kiosk: Kiosk, reference: str
) -> None:
    refused = await say(client, kiosk, reference, state="paid")
    assert refused.status_code in (400, 422)
    assert refused.json()["code"] in ("invalid-field", "payment-reference-card")
    assert reference not in refused.text
    await say(client, kiosk, "TX-0001", state="paid")
    async with fresh_store.transaction() as tx:
        assert await tx.fetchval("SELECT string_agg(reference, ',') FROM kiosk_payment") == "TX-0001"


async def test_what_the_refusal_of_a_card_number_says_to_do_is_taken(
    client: httpx.AsyncClient, kiosk: Kiosk
) -> None:
    """Some per cent of the ids of 16 digits that terminals give look like cards."""
    for reference in ("4111111111111111", "6011000990139424", "4000000000000000006"):
        refused = await say(client, kiosk, reference, state="paid")
        assert refused.json()["code"] == "payment-reference-card"
        assert "giữa dãy số" in refused.json()["detail"]
        middle = len(reference) // 2
        taken = await say(client, kiosk, f"{reference[:middle]}X{reference[middle:]}", state="paid")
        assert taken.status_code == 200, taken.text


async def test_a_number_named_with_a_later_word_is_kept_and_the_first_one_stays(
    client: httpx.AsyncClient, clock: FrozenClock, kiosk: Kiosk
) -> None:
    first, other = {"day": "2026-11-21", "number": 2}, {"day": "2026-11-20", "number": 9}

    async def said(reference: str, **word: Any) -> tuple[str, str | None, int | None]:
        found = (await say(client, kiosk, reference, **word)).json()
        return found["state"], found["ticket_day"], found["ticket_number"]

    assert await said("TX-0001", state="started") == ("started", None, None)
    assert await said("TX-0001", state="paid", ticket=first) == ("paid", "2026-11-21", 2)
    assert await said("TX-0001", state="paid", ticket=other) == ("paid", "2026-11-21", 2)
    paid = (await say(client, kiosk, "TX-0002", state="paid")).json()
    clock.advance(minutes=1)
    named = (await say(client, kiosk, "TX-0002", state="paid", ticket=first)).json()
    assert named == paid | {"ticket_day": "2026-11-21", "ticket_number": 2}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
async def test_the_payments_of_the_calendars_last_day_are_none(
    client: httpx.AsyncClient, kiosk: Kiosk, day: str
) -> None:
    listed = await client.get(LISTED, params={"day": day}, headers=bearer(kiosk.place.admin.token))
    assert (listed.status_code, listed.json()["items"]) == (200, []), listed.text


@pytest.mark.parametrize("reference", ["abc", "-TX1", "TX 1", "TX1\n", "TX" * 40, "", "TX1\u0000"])
async def test_a_reference_is_a_short_plain_word(
    client: httpx.AsyncClient, kiosk: Kiosk, reference: str
) -> None:
    assert (await say(client, kiosk, reference, state="paid")).status_code == 400


@given(st.text(alphabet="0123456789", min_size=12, max_size=18), st.sampled_from(["4", "51", "2221", "9704"]))
def test_every_card_number_is_known_and_no_letter_hides_one(digits: str, first: str) -> None:
    body = (first + digits)[:18]
    whole = next(body + last for last in "0123456789" if is_luhn(body + last))
    assert is_card_number(whole)
    assert is_card_number("-".join(whole))
    assert is_card_number(f"TX{whole}")
    wrong = whole[:-1] + str((int(whole[-1]) + 1) % 10)
    assert not is_card_number(wrong)


def is_luhn(digits: str) -> bool:
    doubled = [int(d) if i % 2 == 0 else int(d) * 2 for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def test_what_ended_stays_as_it_ended() -> None:
    states: list[Any] = ["started", "paid", "failed", "cancelled"]
    assert {(a, b) for a in states for b in states if may_move(a, b)} == {
        *(("started", state) for state in states),
        *((state, state) for state in states),
    }


async def test_references_of_two_terminals_do_not_meet_and_the_facility_reads_both(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    second = await set_up(client, kiosk.place)
    elsewhere = await set_up(client, await make_place(fresh_store, clock))
    await say(client, kiosk, "TX-0001", state="paid")
    assert (await say(client, second, "TX-0001", state="failed")).json()["state"] == "failed"
    await say(client, elsewhere, "TX-0001", state="cancelled")
    clock.advance(minutes=1)
    await say(client, kiosk, "TX-0002", state="started")
    clerk = await make_doctor(fresh_store, clock, kiosk.place.facility, "clerk")
    system = await make_machine(fresh_store, clock, kiosk.place.facility)
    for token in (clerk.token, system.token, kiosk.place.admin.token):
        seen, cursor = [], None
        for _ in range(5):
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(LISTED, params=params, headers=bearer(token))).json()
            seen += [(item["reference"], item["state"]) for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(seen) == [("TX-0001", "failed"), ("TX-0001", "paid"), ("TX-0002", "started")]
    other_day = await client.get(LISTED, params={"day": "2026-11-20"}, headers=bearer(clerk.token))
    assert other_day.json()["items"] == []


async def test_payments_go_after_a_month_in_bounded_steps(
    client: httpx.AsyncClient, fresh_store: Store, clock: FrozenClock, kiosk: Kiosk
) -> None:
    for turn in range(5):
        await say(client, kiosk, f"TX-000{turn}", state="paid")
    clock.advance(seconds=1)
    before = clock.now()
    await say(client, kiosk, "TX-NEW", state="paid")
    async with fresh_store.transaction() as tx:
        assert [await forget(tx, before, 2) for _ in range(4)] == [2, 2, 1, 0]
    async with fresh_store.transaction() as tx:
        assert await tx.fetchval("SELECT string_agg(reference, ',') FROM kiosk_payment") == "TX-NEW"
