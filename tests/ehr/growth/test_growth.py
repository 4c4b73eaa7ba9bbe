"""Growth as answered: from the record through the Access, corrected, in words that say where to go."""

import json
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from ehr.models import Source
from ehr.store import write_unit
from kernel.access import Label
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import resource, write

BORN = "2025-11-20"
LOINC = "http://loinc.org"
GROWTH = "/v1/me/growth"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


def measured(name: str, code: str, day: str | None, value: str, unit: str, **more: Any) -> dict[str, Any]:
    quantity = {"value": json.loads(value), "unit": unit}
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": code}], "text": name},
        "valueQuantity": quantity,
        **({"effectiveDateTime": day} if day else {}),
        **more,
    }


async def baby(store: Store, clock: FrozenClock, *rows: dict[str, Any]) -> Citizen:
    child = await make_citizen(store, clock, birth_date=BORN, sex="male")
    await write(store, child.patient_id, list(rows), clock.now())
    return child


async def growth(client: httpx.AsyncClient, child: Citizen) -> dict[str, Any]:
    response = await client.get(GROWTH, headers=bearer(child.token))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def of(answer: dict[str, Any], measure: str) -> list[dict[str, Any]]:
    return next((one["points"] for one in answer["series"] if one["measure"] == measure), [])


VISIT = (
    measured("w", "29463-7", "2026-05-20T09:00:00+07:00", "6.0", "kg"),
    measured("l", "8302-2", "2026-05-20T09:00:00+07:00", "62.0", "cm"),
    measured("h", "8287-5", "2026-05-20T09:00:00+07:00", "42.0", "cm"),
    measured("b", "8339-4", BORN, "3200", "g"),
)


async def test_a_visit_makes_five_measures(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    answer = await growth(client, await baby(store, clock, *VISIT))
    assert [one["measure"] for one in answer["series"]] == [
        "weight-for-age",
        "length-height-for-age",
        "weight-for-length-height",
        "bmi-for-age",
        "head-circumference-for-age",
    ]
    birth, visit = of(answer, "weight-for-age")
    assert (birth["value"], birth["age_days"], birth["z"]) == ("3.200", 0, "-0.30")
    assert (visit["age_days"], visit["z"], visit["band"]) == (181, "-2.48", "below-2")
    assert of(answer, "bmi-for-age")[0]["value"] == "15.61"
    assert len(of(answer, "weight-for-length-height")[0]["measured"]) == 2
    assert answer["standards"] == ["who-2006", "who-2007"]


async def test_words_say_where_to_go_and_that_nobody_approved_them(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(store, clock, *VISIT)
    words = {one["measure"]: one for one in (await growth(client, child))["words"]}
    assert words["weight-for-age"]["band"] == "below-2"
    assert "trạm y tế xã" in words["weight-for-age"]["go_to_vi"]
    assert "head-circumference-for-age" not in words
    await write(
        store,
        child.patient_id,
        [measured("w2", "29463-7", "2026-06-20", "5.0", "kg")],
        clock.now(),
    )
    lower = {one["measure"]: one for one in (await growth(client, child))["words"]}
    assert lower["weight-for-age"]["band"] == "below-3"
    assert "bệnh viện" in lower["weight-for-age"]["go_to_vi"]
    assert not any(one["reviewed"] for one in lower.values())
    told = json.dumps(lower, ensure_ascii=False).casefold()
    assert not any(word in told for word in ("suy dinh dưỡng", "béo phì", "bệnh của", "chẩn đoán"))


async def test_an_early_birth_is_counted_from_the_day_that_was_due(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    weeks = measured("g", "76516-4", BORN, "30", "wk")
    answer = await growth(client, await baby(store, clock, *VISIT, weeks))
    birth, visit = of(answer, "weight-for-age")
    assert (answer["gestational_weeks"], visit["corrected_age_days"]) == ("30", 181 - 70)
    assert (birth["z"], birth["without"], birth["corrected_age_days"]) == (None, "before-term", -70)
    assert float(visit["z"]) > -2
    assert "30 tuần" in answer["correction_vi"]


async def test_the_weeks_of_a_later_pregnancy_are_not_those_of_ones_own_birth(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    weeks = measured("g", "18185-9", "2026-10-01", "30", "wk")
    assert (await growth(client, await baby(store, clock, *VISIT, weeks)))["gestational_weeks"] is None


async def test_what_cannot_be_compared_is_left_out(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    rows = (
        measured("m", "29463-7", "2026-05", "7", "kg"),
        measured("p", "29463-7", "2026-05-20", "15", "[lb_av]"),
        measured("e", "29463-7", "2025-10-01", "7", "kg"),
        measured("c", "29463-7", "2026-05-21", "7", "kg", status="entered-in-error"),
        measured("x", "29463-7", "2026-05-22", "70", "kg"),
    )
    answer = await growth(client, await baby(store, clock, *rows))
    (only,) = of(answer, "weight-for-age")
    assert (only["value"], only["band"]) == ("70", "implausible")
    assert "ghi nhầm" in answer["words"][0]["text_vi"]


@pytest.mark.parametrize("kg", ["1e-300", "999999"])
async def test_a_weight_that_nobody_has_is_said_to_be_a_slip(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, kg: str
) -> None:
    rows = (
        measured("w", "29463-7", "2026-05-20", kg, "kg"),
        measured("h", "8302-2", "2026-05-20", "65", "cm"),
    )
    citizen = await baby(store, clock, *rows)
    answer = await growth(client, citizen)
    for measure in ("weight-for-age", "bmi-for-age", "weight-for-length-height"):
        assert [one["band"] for one in of(answer, measure)] == ["implausible"], measure
        chart = await client.get(f"/v1/me/growth/{measure}.svg", headers=bearer(citizen.token))
        assert chart.status_code == 200


async def test_what_the_family_wrote_is_marked_apart(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(store, clock)
    own = Source(source_id="person", facility_id=None, credential="app", state="self-declared")
    row = measured("w", "29463-7", "2026-05-20", "5.6", "kg")
    new = resource(row, own)
    new.item = new.item[:-1] + ',"self_declared":true}'
    async with store.transaction() as tx:
        await write_unit(tx, child.patient_id, own, [new], unit=None, now=clock.now())
    answer = await growth(client, child)
    assert of(answer, "weight-for-age")[0]["self_declared"] is True
    assert "tự ghi" in answer["words"][0]["self_declared_vi"]
    chart = await client.get(f"{GROWTH}/weight-for-age.svg", headers=bearer(child.token))
    assert 'class="mark own"' in chart.text


async def test_a_declared_birth_is_the_first_point_and_an_early_one_without_weeks_is_said(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(store, clock, *VISIT[:2])
    facts = [
        {"code": code, "value": value}
        for code, value in (("CANNANG", "2450"), ("CHIEUDAI", "46.5"), ("DETHIEUTHANG", "1"))
    ]
    said = await client.post(
        "/v1/me/statements",
        json={"kind": "birth", "facts": facts},
        headers=bearer(child.token) | {"Idempotency-Key": "0198c0de-0000-7000-8000-00000000b123"},
    )
    assert said.status_code == 201, said.text
    answer = await growth(client, child)
    weight, length = of(answer, "weight-for-age")[0], of(answer, "length-height-for-age")[0]
    assert (weight["date"], weight["age_days"], weight["value"]) == (BORN, 0, "2.450")
    assert (length["value"], length["z"]) == ("46.5", "-1.79")
    assert all(one["self_declared"] for one in (weight, length))
    assert not of(answer, "weight-for-age")[1]["self_declared"]
    assert of(answer, "weight-for-length-height")[0]["measured"] == weight["measured"]
    assert (answer["gestational_weeks"], weight["corrected_age_days"]) == (None, None)
    assert "thiếu tháng" in answer["correction_vi"]
    assert "chưa" in answer["correction_vi"]
    chart = await client.get(f"{GROWTH}/weight-for-age.svg", headers=bearer(child.token))
    assert "thiếu tháng" in chart.text
    taken_back = f"/v1/me/statements/{said.json()['statement_id']}/withdraw"
    assert (await client.post(taken_back, headers=bearer(child.token))).status_code == 200
    after = await growth(client, child)
    assert (len(of(after, "weight-for-age")), after["correction_vi"]) == (1, None)


async def test_adults_and_people_without_a_birthday_are_refused(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    for birth_date, code in (
        ("1985-03-12", "growth-children-only"),
        ("2006", "growth-children-only"),
        ("2020", "growth-person-unclear"),
    ):
        person = await make_citizen(store, clock, birth_date=birth_date)
        refused = await client.get(GROWTH, headers=bearer(person.token))
        assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_a_doctor_sees_what_the_grant_lets_through(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await make_citizen(store, clock, birth_date="2009-11-20", sex="male")
    row = measured("w", "8302-2", "2026-05-20", "150", "cm")
    await write(store, child.patient_id, [row], clock.now())
    labelled = measured("s", "8302-2", "2026-06-20", "151", "cm")
    await write(store, child.patient_id, [labelled], clock.now(), labels=int(Label.SDV))
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    path = f"/v1/doctor/patients/{child.patient_id}/growth"
    refused = await client.get(path, headers=bearer(doctor.token))
    assert (refused.status_code, refused.json()["code"]) == (403, "no-access")
    await granted(store, clock, doctor, child)
    seen = await client.get(path, headers=bearer(doctor.token))
    assert [one["value"] for one in of(seen.json(), "length-height-for-age")] == ["150"]
    assert seen.json()["notice"]["vi"]
    chart = await client.get(f"{path}/length-height-for-age.svg", headers=bearer(doctor.token))
    assert chart.status_code == 200


async def test_the_lines_go_on_to_the_last_month_of_the_tables(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    youth = await make_citizen(store, clock, birth_date="2008-01-10", sex="female")
    row = measured("l", "8302-2", "2026-11-10", "158", "cm")
    await write(store, youth.patient_id, [row], clock.now())
    chart = await client.get(f"{GROWTH}/length-height-for-age.svg", headers=bearer(youth.token))
    drawn = ElementTree.fromstring(chart.content).iter("{http://www.w3.org/2000/svg}polyline")
    lines = [line.attrib["points"].split() for line in drawn if line.attrib["class"] != "trace"]
    assert len(lines) == 5
    assert {line[-1].partition(",")[0] for line in lines} == {"408.0"}


async def test_s35_a_chart_is_a_picture_that_runs_nothing(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    child = await baby(store, clock, *VISIT)
    for one in (await growth(client, child))["series"]:
        chart = await client.get(f"/v1/me/{one['chart']}", headers=bearer(child.token))
        assert chart.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in chart.headers["content-security-policy"]
        tree = ElementTree.fromstring(chart.content)
        names = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert names == {
            "svg",
            "title",
            "desc",
            "style",
            "rect",
            "polygon",
            "polyline",
            "line",
            "circle",
            "text",
        }
        assert len([e for e in tree.iter() if e.tag.endswith("circle")]) == len(one["points"])
        assert "prefers-color-scheme:dark" in chart.text
    unknown = await client.get(f"{GROWTH}/muac.svg", headers=bearer(child.token))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "growth-chart-unknown")
    again = await client.get(
        f"{GROWTH}/bmi-for-age.svg", headers=bearer(child.token) | {"If-None-Match": chart.headers["etag"]}
    )
    assert again.status_code == 304
