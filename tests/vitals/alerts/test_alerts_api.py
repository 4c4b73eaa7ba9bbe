"""Alerts over HTTP: what is shown, in which words, and who says that it was seen."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from kernel.access import RecordType
from tests.support.alerting import pressure
from tests.support.consent import granted
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import make_citizen, make_doctor, make_facility, renew_session
from tests.support.telling import CRITICAL, PATH, WARN, House
from vitals.telling.texts import CALL_115_VI, LOW_PRESSURE_VI, OUTSIDE_VI

OUTSIDE = (
    "Chỉ số đo lúc 09:03 ngày 21/11 nằm ngoài ngưỡng đã đặt. Hãy nghỉ và đo lại sau 5 phút. "
    "Nếu thấy không khỏe, gọi 115."
)


async def read(house: House, client: httpx.AsyncClient, who: Any = None, **more: Any) -> dict[str, Any]:
    who = who or house.me
    headers = bearer(await renew_session(house.store, house.clock, who)) | more.pop("headers", {})
    got = await client.get(PATH, params=more, headers=headers)
    assert got.status_code == 200, got.text
    return got.json()


async def test_an_alert_says_what_to_do_and_not_what_it_means(house: House) -> None:
    (alert,) = await house.measure(CRITICAL, minute=3)
    async with client_of(house.store, house.clock) as client:
        found = await read(house, client)
        (one,) = found["alerts"]
        assert (one["kind"], one["direction"], one["severity"], one["status"]) == (
            "spo2",
            "low",
            "critical",
            "active",
        )
        assert (one["value"], one["unit"], one["set_by"]) == (90.5, "%", "default")
        assert one["text"] == OUTSIDE
        assert "không phải chẩn đoán" in found["notice"]
        assert "chưa được nhân viên y tế kiểm tra" in found["notice"]
        done = await house.ack(client, house.me, alert)
        assert done.json()["status"] == "acked"
        (one,) = (await read(house, client))["alerts"]
        assert (one["status"], one["seen_by_me"]) == ("acked", True)


def test_the_words_are_those_of_the_design_and_name_neither_disease_nor_medicine() -> None:
    assert OUTSIDE_VI.replace("{giờ}", "09:03 ngày 21/11") == OUTSIDE


async def test_calling_115_at_once_is_said_only_once_an_operator_confirmed_it(house: House) -> None:
    await house.patient.send(pressure(0, 190, 121), pressure(5, 191, 122), minute=5)
    async with client_of(house.store, house.clock) as client:
        before = (await read(house, client))["alerts"][0]["text"]
        await house.patient.confirm("bp-call-115")
        after = (await read(house, client))["alerts"][0]["text"]
    assert "Gọi 115 ngay" not in before
    assert after == CALL_115_VI.replace("{giờ}", "09:05 ngày 21/11")


async def test_a_low_blood_pressure_asks_how_the_person_feels_and_pushes_nobody(house: House) -> None:
    await house.patient.confirm("bp-adult-low")
    (alert,) = await house.patient.send(pressure(0, 85, 50), pressure(5, 84, 52), minute=5)
    await house.until(20)
    async with client_of(house.store, house.clock) as client:
        (one,) = (await read(house, client))["alerts"]
    assert (alert.is_silent, one["direction"]) == (True, "low")
    assert (one["kind"], one["title_vi"]) == ("blood-pressure", "Huyết áp")
    assert one["text"] == LOW_PRESSURE_VI.replace("{giờ}", "09:05 ngày 21/11")
    assert "không khỏe không?" in one["text"]
    assert await house.pushed() == []


async def test_pages_go_from_the_newest_and_end(house: House) -> None:
    for hour in range(3):
        await house.measure(WARN, minute=3 + 60 * hour)
        await house.measure([97, 97, 97], minute=7 + 60 * hour)
    async with client_of(house.store, house.clock) as client:
        seen, cursor = [], {}
        while True:
            page = await read(house, client, limit=2, **cursor)
            seen += [one["first_at"][11:16] for one in page["alerts"]]
            if not page.get("next"):
                break
            cursor = {"cursor": page["next"]}
    assert seen == ["04:01", "03:01", "02:01"]


@pytest.mark.parametrize(("values", "most"), [(CRITICAL, 3600), (WARN, 14_400)])
async def test_a_silence_is_no_longer_than_the_severity_allows(
    house: House, values: list[float], most: int
) -> None:
    (alert,) = await house.measure(values, minute=3)
    async with client_of(house.store, house.clock) as client:
        over = await house.ack(client, house.me, alert, snooze_s=most + 1)
        assert over.json()["code"] == ("alert-snooze-too-long" if most == 3600 else "invalid-field")
        done = await house.ack(client, house.me, alert, snooze_s=most)
    until = house.clock.now() + timedelta(seconds=most)
    assert done.json()["snoozed_until"] == until.isoformat().replace("+00:00", "Z")


async def test_a_warning_that_was_seen_is_no_word_on_what_became_critical(house: House) -> None:
    (alert,) = await house.measure(WARN, minute=3)
    await house.measure(CRITICAL, minute=6)
    async with client_of(house.store, house.clock) as client:
        refused = await house.ack(client, house.me, alert, severity="warn")
        assert (refused.status_code, refused.json()["code"]) == (409, "alert-worsened")
        assert (await read(house, client))["alerts"][0]["status"] == "active"
        assert (await house.ack(client, house.me, alert, severity="critical")).status_code == 200


async def test_a_silence_holds_one_direction_through_the_next_readings_and_not_the_other(
    house: House,
) -> None:
    high = {"kind": "spo2", "direction": "high", "unit": "%", "warn": 99}
    async with client_of(house.store, house.clock) as client:
        headers = bearer(await renew_session(house.store, house.clock, house.me))
        body = {"rules": [high], "version": 0}
        assert (await client.put("/v1/me/alert-rules", json=body, headers=headers)).status_code == 200
        (alert,) = await house.measure(WARN, minute=3)
        await house.ack(client, house.me, alert, snooze_s=14_400)
    await house.work()
    await house.measure([97, 97, 97], minute=7)
    assert await house.measure(WARN, minute=50) == [], "still silent"
    (other,) = await house.measure([99.5] * 4, minute=60)
    assert other.direction == 1


async def test_only_who_may_follow_sees_and_acknowledges(house: House) -> None:
    (alert,) = await house.measure(CRITICAL, minute=3)
    stranger, follower = await make_citizen(house.store, house.clock), await house.follow("son")
    reader = await make_citizen(house.store, house.clock)
    await make_proxy(house.store, house.clock, house.me, reader, "read-record")
    async with client_of(house.store, house.clock) as client:
        codes = {
            name: (await house.ack(client, who, alert)).json().get("code", "ok")
            for name, who in (("stranger", stranger), ("reader", reader), ("follower", follower))
        }
        assert codes == {"stranger": "not-your-book", "reader": "not-in-your-care", "follower": "ok"}
        whose = {"X-Patient-Id": str(house.me.patient_id)}
        assert len((await read(house, client, follower, headers=whose))["alerts"]) == 1
        log = await client.get(
            "/v1/me/access-log", headers=bearer(await renew_session(house.store, house.clock, house.me))
        )
        assert "báo đã xem một cảnh báo" in log.text
        missing = await client.post(
            f"{PATH}/{house.me.patient_id}/ack",
            json={},
            headers=bearer(await renew_session(house.store, house.clock, house.me)),
        )
        assert (missing.status_code, missing.json()["code"]) == (404, "no-such-alert")


async def test_another_persons_alert_cannot_be_reached_through_ones_own_book(house: House) -> None:
    (alert,) = await house.measure(CRITICAL, minute=3)
    other = await house.join("other")
    child = await make_child(house.store, house.clock, other, "2020-01-01")
    async with client_of(house.store, house.clock) as client:
        for book in ({}, {"X-Patient-Id": str(child)}):
            headers = bearer(await renew_session(house.store, house.clock, other))
            refused = await client.post(f"{PATH}/{alert.alert_id}/ack", json={}, headers=headers | book)
            assert refused.status_code == 404
            assert (await read(house, client, other, headers=book))["alerts"] == []


async def test_a_doctor_sees_the_books_alerts_in_the_days_of_the_grant(house: House) -> None:
    son = await house.follow("son")
    doctor = await make_doctor(house.store, house.clock, await make_facility(house.store, house.clock))
    await house.limit_of(son)
    assert len(await house.measure([97, 95, 91, 90.5], minute=3)) == 2
    path = f"/v1/doctor/patients/{house.me.patient_id}/vitals/alerts"
    seen = []
    async with client_of(house.store, house.clock) as client:
        for since in (None, date(2026, 11, 22)):
            named = frozenset[RecordType]({"Observation.wearable"})
            await granted(house.store, house.clock, doctor, house.me, types=named, since=since)
            got = await client.get(path, headers=bearer(doctor.token))
            assert got.status_code == 200, got.text
            seen.append([(one["set_by"], one["severity"]) for one in got.json()["alerts"]])
    assert seen == [[("default", "critical")], []]
