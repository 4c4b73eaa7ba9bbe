"""What is said about food: in its own words, with its source, once a week when the person wants it."""

from datetime import UTC, date, datetime, time
from typing import Any

import httpx
import pytest

from ehr.knowledge.service import articles, published, review
from kernel.access import Label
from kernel.clock import VIETNAM
from reminders.looking import look_at
from reminders.nutrition.models import Choice, Tip
from reminders.nutrition.policy import of_the_week, order_tip, weekly_of
from reminders.nutrition.words import is_about_food, words
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.family import make_child
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, renew_session
from tests.support.record import write
from tests.support.reminding import Reminding
from tests.support.statistics import seen_with

PATH = "/v1/me/nutrition"
ORDER = {
    "resourceType": "NutritionOrder",
    "id": "n1",
    "status": "active",
    "intent": "order",
    "patient": {"reference": "Patient/p"},
    "dateTime": "2026-11-20T08:00:00+07:00",
    "oralDiet": {
        "type": [{"text": "Chế độ ăn đái tháo đường"}],
        "instruction": "Chia 5 bữa nhỏ, không bỏ bữa sáng.",
    },
    "excludeFoodModifier": [{"text": "tôm"}],
}


def advice(text: str, ident: str = "p1", day: str = "2026-11-20") -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "id": ident,
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "period": {"start": day},
        "description": text,
    }


def at(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=VIETNAM).astimezone(UTC)


async def said(client: httpx.AsyncClient, token: str, **headers: str) -> dict[str, Any]:
    got = await client.get(PATH, headers=bearer(token) | headers)
    assert got.status_code == 200, got.text
    body: dict[str, Any] = got.json()
    return body


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Ăn nhạt, dưới 5 g muối mỗi ngày", True),
        ("AN NHAT", True),
        ("Hạn chế rượu bia", True),
        ("Chế độ ăn: nhiều rau xanh", True),
        ("Uống sau ăn 30 phút", False),
        ("Rửa mũi bằng nước muối sinh lý", False),
        ("Tái khám sau 1 tháng", False),
        ("", False),
    ],
)
def test_words_choose_what_is_about_food(text: str, about: bool) -> None:
    assert is_about_food(text) == about


def test_an_order_is_read_in_its_own_words_or_not_at_all() -> None:
    assert order_tip('{"oralDiet": {"type": [{"coding": [{"code": "160670007"}]}]}}', None) is None
    assert order_tip('{"oralDiet": 5}', None) is None
    assert order_tip("{}", None) is None
    whole = '{"dateTime": "2026-11", "supplement": [{"productName": "Sữa X", "instruction": "1 hộp/ngày"}]}'
    tip = order_tip(whole, "Bệnh viện A")
    assert tip is not None
    assert (tip.text_vi, tip.date, tip.facility_name) == (["Sữa X", "1 hộp/ngày"], "2026-11", "Bệnh viện A")


def test_each_week_another_word_comes_first_and_orders_before_all() -> None:
    tips = [Tip(origin="advice", title_vi=str(n), text_vi=[]) for n in range(3)]
    tips.append(Tip(origin="diet-order", title_vi="order", text_vi=[]))
    weeks = [of_the_week(tips, date(2026, 11, 23 + days)) for days in (0, 6)]
    assert weeks[0] == weeks[1], "Monday to Sunday"
    assert {of_the_week(tips, date(2026, 11, day))[1].title_vi for day in (2, 9, 16)} == {"0", "1", "2"}
    assert all(week[0].title_vi == "order" and len(week) == 4 for week in weeks)
    assert of_the_week([], date(2026, 11, 23)) == []


def test_after_the_weeks_own_word_the_newest_comes_first() -> None:
    tips = [Tip(origin="advice", title_vi=f"{n}", text_vi=[]) for n in range(5)]
    for week in range(5):
        first, *others = [int(tip.title_vi) for tip in of_the_week(tips, date(2026, 11, 2 + 7 * week))]
        assert others == sorted(others)
        assert first not in others


async def test_what_one_place_says_again_is_shown_once(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    texts = {"2026-11-18": "Ăn nhạt.", "2026-11-20": "ĂN  NHẠT.", "2026-11-19": "Hạn chế rượu bia."}
    rows = [advice(text, f"p{n}", day) for n, (day, text) in enumerate(texts.items())]
    await write(store, citizen.patient_id, rows, clock.now())
    async with client_of(store, clock) as client:
        told = await said(client, citizen.token)
    assert sorted((one["date"], one["text_vi"]) for one in told["items"]) == [
        ("2026-11-19", ["Hạn chế rượu bia."]),
        ("2026-11-20", ["ĂN  NHẠT."]),
    ]


def test_it_is_on_by_itself_only_while_a_diet_is_ordered() -> None:
    assert [weekly_of(None, has, words()).is_on for has in (True, False)] == [True, False]
    chosen = Choice(False, 3, time(6, 30), datetime(2026, 1, 1, tzinfo=UTC))
    weekly = weekly_of(chosen, True, words())
    assert (weekly.is_on, weekly.is_chosen, weekly.weekday, weekly.at) == (False, True, 3, "06:30")


async def test_the_text_shows_its_source_and_is_not_changed(store: Store, clock: FrozenClock) -> None:
    citizen = await make_citizen(store, clock)
    rows = [ORDER, advice("Uống thuốc đều.\nĂn nhạt, tăng rau xanh."), advice("Tái khám sau 1 tháng", "p2")]
    old = advice("Hạn chế đường", "p3", "2025-01-02")
    stopped = ORDER | {"id": "n2", "status": "completed", "oralDiet": {"instruction": "Cháo loãng"}}
    await write(store, citizen.patient_id, [*rows, old, stopped], clock.now())
    async with client_of(store, clock) as client:
        body = await said(client, citizen.token)
    order, plan = body["items"]
    assert order["origin"] == "diet-order"
    assert order["text_vi"] == [
        "Chế độ ăn đái tháo đường",
        "Chia 5 bữa nhỏ, không bỏ bữa sáng.",
        "Không dùng: tôm",
    ]
    assert (order["date"], plan["origin"]) == ("2026-11-20", "advice")
    assert plan["text_vi"] == ["Uống thuốc đều.", "Ăn nhạt, tăng rau xanh."]
    assert (plan["facility_name"], plan["date"]) == ("Bệnh viện A", "2026-11-20")
    assert (body["weekly"]["is_on"], body["weekly"]["is_chosen"]) == (True, False)


async def test_of_articles_only_what_a_clinician_reviewed_is_said(
    fresh_store: Store, clock: FrozenClock
) -> None:
    citizen = await make_citizen(fresh_store, clock)
    await write(fresh_store, citizen.patient_id, [seen_with("E11", "2026-11-11")], clock.now())
    slug = "dai-thao-duong"
    about = [one.text_vi for one in articles()[slug].paragraphs if is_about_food(one.text_vi)]
    assert about
    async with client_of(fresh_store, clock) as client:
        assert (await said(client, citizen.token))["items"] == []
        async with fresh_store.transaction() as tx:
            await review(tx, slug, "BS. Lê Thị Bình", "001/BYT-CCHN", date(2026, 11, 20), clock.now())
            assert slug in await published(tx)
        (tip,) = (await said(client, citizen.token))["items"]
    assert (tip["origin"], tip["slug"], tip["reviewer"]) == ("article", slug, "BS. Lê Thị Bình")
    assert tip["text_vi"] == about


async def test_s23_a_guardian_reads_no_withheld_advice(store: Store, clock: FrozenClock) -> None:
    mother = await make_citizen(store, clock)
    child = await make_child(store, clock, mother)
    whose = {"X-Patient-Id": str(child)}
    await write(store, child, [advice("Ăn lỏng, chia nhiều bữa")], clock.now(), labels=int(Label.SDV))
    async with client_of(store, clock) as client:
        assert (await said(client, mother.token, **whose))["items"] == []
        await write(store, child, [advice("Ăn mềm", "p2")], clock.now())
        assert [one["text_vi"] for one in (await said(client, mother.token, **whose))["items"]] == [
            ["Ăn mềm"]
        ]


async def test_once_a_week_at_the_persons_time_while_there_is_something_to_read(here: Reminding) -> None:
    await write(here.store, here.citizen.patient_id, [advice("Ăn nhạt")], here.clock.now())
    async with here.store.transaction() as tx:
        await look_at(tx, here.citizen.patient_id, here.clock.now())
    await here.until(at(11, 23))
    assert await here.told("nutrition-tip") == [], "nobody asked for it, and no diet is ordered"
    body = {"is_on": True, "weekday": 3, "at": "06:30"}
    token = await renew_session(here.store, here.clock, here.citizen)
    put = await here.client.put(f"{PATH}/weekly", json=body, headers=bearer(token))
    assert (put.status_code, put.json()["at"]) == (200, "06:30")
    await here.until(at(12, 3))
    assert [day for _, day in await here.told("nutrition-tip")] == ["25 06:30", "02 06:30"]
    (shown,) = await here.reminders()
    assert (shown["kind"], shown["came_from"]["text"]) == ("nutrition", ["Ăn nhạt"])
    assert shown["came_from"]["facility_name"] == "Bệnh viện A"
    gone = advice("Ăn nhạt") | {"status": "entered-in-error"}
    await write(here.store, here.citizen.patient_id, [gone], here.clock.now())
    assert await here.reminders() == []
    await here.until(at(12, 10))
    assert len(await here.told("nutrition-tip")) == 2, "nothing is left to read"
    for wrong in ({"weekday": 0}, {"weekday": 8}, {"at": "25:00"}, {"at": "6:30"}, {"is_on": "yes"}):
        token = await renew_session(here.store, here.clock, here.citizen)
        bad = await here.client.put(f"{PATH}/weekly", json=body | wrong, headers=bearer(token))
        assert (bad.status_code, bad.json()["code"]) == (400, "invalid-field"), bad.text
