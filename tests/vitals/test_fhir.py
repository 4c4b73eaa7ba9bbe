"""Measurements as FHIR R4: each row of the table, valid by an independent model, and the same read again."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle

from kernel.paging import encode_cursor
from store.database import Store
from tests.support.batches import CUFF, WATCH, Sender, batch, id_of, sample, sender, series, text_of
from tests.support.clock import START, FrozenClock
from vitals.fhir import out
from vitals.fhir.systems import ABSENT, COINCIDENT, CONTEXT, ID, KIND, LOINC, SELF_MEASURED, STATISTICS
from vitals.imports.fhir import read as read_fhir
from vitals.kinds import KINDS
from vitals.wire import Sample, Series

URL = "/v1/me/vitals/fhir"
METER = {"app": "vn.example.meter", "model": "G7", "kind": "cgm"}
HAND = {"app": "vn.example.book", "kind": "manual", "method": "manual"}
SOURCES = [WATCH, CUFF, METER, HAND]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def phone(store: Store, clock: FrozenClock) -> AsyncIterator[Sender]:
    async with sender(store, clock) as opened:
        yield opened


async def sent(phone: Sender, *samples: dict[str, Any], seq: int = 1, **more: Any) -> dict[str, Any]:
    answered = await phone.send(batch(*samples, seq=seq, sources=SOURCES, **more))
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    assert found["rejected"] == []
    return found


async def page(phone: Sender, url: str = URL, **query: Any) -> dict[str, Any]:
    answered = await phone.ask("GET", url, params=query or None)
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"] == "application/fhir+json"
    made: dict[str, Any] = answered.json()
    Bundle.model_validate(made)
    return made


def of(made: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [one["resource"] for one in made.get("entry", []) if one["search"]["mode"] == mode]


async def one_of(phone: Sender, *samples: dict[str, Any], **more: Any) -> dict[str, Any]:
    await sent(phone, *samples, **more)
    (made,) = of(await page(phone))
    return made


def codes(made: dict[str, Any], system: str = LOINC) -> list[str]:
    return [one["code"] for one in made["code"]["coding"] if one["system"] == system]


async def test_a_value_names_its_code_unit_zone_version_device_and_that_it_is_self_measured(
    phone: Sender,
) -> None:
    await sent(phone, sample(1, "spo2", 97, "%", z=540, ver=7))
    made = await page(phone)
    (value,), (device,) = of(made), of(made, "include")
    assert codes(value) == ["59408-5", "2708-6"]
    assert value["valueQuantity"] == {
        "value": 97,
        "unit": "%",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    }
    assert value["category"][0]["coding"][0]["code"] == "vital-signs"
    assert value["meta"] == {"versionId": "7", "tag": [SELF_MEASURED]}
    assert value["identifier"] == [{"system": ID, "value": id_of(1)}]
    assert value["effectiveDateTime"].endswith("+09:00")
    assert value["subject"] == {"reference": f"urn:uuid:{phone.citizen.patient_id}"}
    assert value["device"] == {"reference": f"urn:uuid:{device['id']}"}
    assert (device["resourceType"], device["deviceName"][0]["name"]) == ("Device", "Watch7,1")
    assert "performer" not in value


@pytest.mark.parametrize(
    ("kind", "value", "unit", "more", "loinc", "shown"),
    [
        ("heart-rate", 72.5, "bpm", {}, ["8867-4"], (72.5, "/min")),
        ("resting-hr", 58, "/min", {}, ["40443-4"], (58, "/min")),
        ("hrv", 0.042, "s", {"ctx": "sdnn"}, ["80404-7"], (42, "ms")),
        ("hrv", 42, "ms", {"ctx": "rmssd"}, [], (42, "ms")),
        ("resp-rate", 16, "/min", {}, ["9279-1"], (16, "/min")),
        ("temperature", 101.3, "[degF]", {"ctx": "ear"}, ["8310-5"], (101.3, "[degF]")),
        ("temperature", 37.25, "Cel", {}, ["8310-5"], (37.25, "Cel")),
        ("glucose", 93, "mg/dL", {"s": 1, "ctx": "fasting"}, ["14743-9"], (93, "mg/dL")),
        ("glucose", 5.4, "mmol/L", {"s": 2}, ["105272-9"], (5.4, "mmol/L")),
        ("weight", 61.25, "kg", {}, ["29463-7"], (61.25, "kg")),
        ("height", 1.62, "m", {}, ["8302-2"], (162, "cm")),
    ],
)
async def test_each_kind_leaves_with_its_code_and_a_unit_that_fhir_knows(
    phone: Sender,
    kind: str,
    value: float,
    unit: str,
    more: dict[str, Any],
    loinc: list[str],
    shown: tuple[float, str],
) -> None:
    made = await one_of(phone, sample(1, kind, value, unit, **more))
    assert codes(made) == loinc
    assert codes(made, KIND)
    assert (made["valueQuantity"]["value"], made["valueQuantity"]["code"]) == shown
    contexts = [one["valueCode"] for one in made.get("extension", []) if one["url"] == CONTEXT]
    assert contexts == ([more["ctx"]] if "ctx" in more else [])


@pytest.mark.parametrize(
    ("kind", "value", "unit", "ctx", "loinc"),
    [
        ("steps", 812, "{steps}", None, ["55423-8"]),
        ("active-energy", 100, "kJ", None, ["41981-2"]),
        ("sleep", 1, "h", "deep", ["93831-6"]),
        ("sleep", 60, "min", "in-bed", []),
    ],
)
async def test_what_lasts_is_an_activity_with_a_period(
    phone: Sender, kind: str, value: float, unit: str, ctx: str | None, loinc: list[str]
) -> None:
    start = START - 2 * HOUR
    item = sample(1, kind, value, unit, t=text_of(start), end=text_of(start + HOUR), z=420)
    made = await one_of(phone, item | ({"ctx": ctx} if ctx else {}))
    assert codes(made) == loinc
    assert made["category"][0]["coding"][0]["code"] == "activity"
    assert {text[-6:] for text in made["effectivePeriod"].values()} == {"+07:00"}


async def test_blood_pressure_is_two_components_and_no_value(phone: Sender) -> None:
    made = await one_of(phone, sample(1, "blood-pressure", 142, "mm[Hg]", v2=91, s=1, ctx="morning"))
    assert codes(made) == ["85354-9"]
    assert [
        (part["code"]["coding"][0]["code"], part["valueQuantity"]["value"]) for part in made["component"]
    ] == [("8480-6", 142), ("8462-4", 91)]
    assert "valueQuantity" not in made


async def test_what_was_typed_by_hand_has_the_person_as_performer(phone: Sender) -> None:
    made = await one_of(phone, sample(1, "weight", 61, "kg", s=3))
    assert made["performer"] == [{"reference": f"urn:uuid:{phone.citizen.patient_id}"}]


async def test_a_series_at_a_constant_step_is_sampled_data(phone: Sender) -> None:
    made = await one_of(phone, series=[series(1, [71, 71.5, 72, 72, 73, 70, 71], step_ms=1000, z=420)])
    data = made["valueSampledData"]
    assert (data["period"], data["factor"], data["dimensions"], data["origin"]["value"]) == (1000, 0.1, 1, 0)
    assert data["data"] == "710 715 720 720 730 700 710"
    start, end = made["effectivePeriod"]["start"], made["effectivePeriod"]["end"]
    assert start.endswith("+07:00")
    assert end > start


async def test_a_series_without_a_step_is_figures_by_the_hour(phone: Sender) -> None:
    start = START.replace(minute=58, second=0, microsecond=0) - 2 * HOUR
    await sent(phone, series=[series(1, [60, 70, 90], t0=text_of(start), dt_ms=[60_000, 90_000])])
    first, second = of(await page(phone))
    parts = {part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"] for part in first["component"]}
    assert {part["code"]["coding"][0]["system"] for part in first["component"]} == {STATISTICS}
    assert parts == {"average": 65, "minimum": 60, "maximum": 70, "count": 2}
    assert second["component"][-1]["valueQuantity"]["value"] == 1
    assert first["id"] != second["id"]
    # Of the record's own points: an hour may have sixty records, and none speaks for the whole of it.
    assert [
        tuple(datetime.fromisoformat(one["effectivePeriod"][end]) for end in ("start", "end"))
        for one in (first, second)
    ] == [(start, start + MINUTE), (start + 2.5 * MINUTE, start + 2.5 * MINUTE)]


async def test_a_clock_that_is_off_stands_beside_what_it_timed(phone: Sender) -> None:
    """As the guide for health devices has it: what both clocks said at one instant."""
    ahead = START + timedelta(minutes=20)
    await sent(phone, sample(1, t=text_of(ahead)), sent_at=text_of(ahead))
    made = await page(phone)
    (value,) = of(made)
    (reference,) = [
        one["valueReference"]["reference"] for one in value["extension"] if one["url"] == COINCIDENT
    ]
    (clock,) = [one for one in of(made, "include") if one["resourceType"] == "Observation"]
    assert reference == f"urn:uuid:{clock['id']}"
    assert read_fhir(json.dumps(clock).encode()).clock_offset_ms == -20 * 60 * 1000


async def test_what_was_deleted_is_entered_in_error_and_has_no_value(phone: Sender) -> None:
    await sent(phone, sample(1), sample(2))
    await sent(phone, seq=2, deleted=[{"id": id_of(1)}, {"id": id_of("never sent")}])
    kept, gone = of(await page(phone))
    assert (kept["id"], kept["status"]) == (id_of(2), "final")
    assert (gone["id"], gone["status"]) == (id_of(1), "entered-in-error")
    assert not [name for name in gone if name.startswith(("value", "effective", "component"))]


async def test_what_stands_again_in_a_higher_version_is_not_taken_back(phone: Sender) -> None:
    await sent(phone, sample(1), series=[series(2)])
    await sent(phone, seq=2, deleted=[{"id": id_of(1), "ver": 1}, {"id": id_of(2), "ver": 1}])
    await sent(phone, sample(1, ver=2), seq=3, series=[series(2, ver=2)])
    made = [(one["id"], one["status"], one["meta"]["versionId"]) for one in of(await page(phone))]
    assert made == [(id_of(1), "final", "2"), (id_of(2), "final", "2")]


async def test_pages_go_on_where_the_last_one_ended_and_show_each_once(phone: Sender) -> None:
    values = [sample(i, "heart-rate", 60 + i, t=text_of(START - i * HOUR)) for i in range(5)]
    # Two at one instant, another kind, and series behind them.
    values += [sample(10, "spo2", 97, "%"), sample(11, "spo2", 98, "%")]
    records = [series(20 + i, [70, 71], t0=text_of(START - i * HOUR - HOUR)) for i in range(3)]
    await sent(phone, *values, series=records)
    await sent(phone, sample(30), seq=2)
    await sent(phone, seq=3, deleted=[{"id": id_of(30)}])
    whole = [one["id"] for one in of(await page(phone))]
    assert len(set(whole)) == len(whole) == 11
    found, url, query = [], URL, {"limit": 2}
    while url:
        made = await page(phone, url, **query)
        found += [one["id"] for one in of(made)]
        assert len(of(made)) <= 2
        url = next((one["url"] for one in made["link"] if one["relation"] == "next"), "")
        query = {}
    assert found == whole


async def test_a_time_and_a_kind_are_asked_for_and_a_series_is_cut_to_the_time(phone: Sender) -> None:
    start = START - 2 * HOUR
    long = series(1, [60.0 + i for i in range(60)], t0=text_of(start), step_ms=60_000)
    await sent(phone, sample(2), sample(3, "spo2", 97, "%"), series=[long])
    made = of(await page(phone, since=text_of(start + HOUR / 2), until=text_of(start + HOUR / 2 + HOUR / 12)))
    assert [one["valueSampledData"]["data"] for one in made] == ["900 910 920 930 940"]
    assert [codes(one) for one in of(await page(phone, kind="spo2"))] == [["59408-5", "2708-6"]]
    refused = await phone.ask("GET", URL, params={"kind": "mood"})
    assert refused.status_code == 404, refused.text


async def test_a_cursor_of_somebody_s_own_making_opens_nothing_else(phone: Sender) -> None:
    await sent(phone, sample(1, t=text_of(START - 3 * HOUR)))
    await sent(phone, sample(2), seq=2)
    await sent(phone, seq=3, deleted=[{"id": id_of(2)}])
    since = {"since": text_of(START - 2 * HOUR)}
    nobody = str(UUID(int=0))
    early = encode_cursor(0, 0, 1, 0, nobody)
    assert of(await page(phone, cursor=early, **since)) == []
    assert of(await page(phone, cursor=encode_cursor(0, 2, 0, 0, nobody), **since)) == []
    for forged in (
        encode_cursor(0, -1, 0, 0, nobody),
        encode_cursor(-1, 0, 0, 0, nobody),
        encode_cursor(0, 0, 0, 0, "x"),
        encode_cursor(0, 0, 0, 10**30, nobody),
        "x",
    ):
        answered = await phone.ask("GET", URL, params={"cursor": forged})
        assert (answered.status_code, answered.json()["code"]) == (400, "bad-cursor"), forged


async def test_what_leaves_as_fhir_comes_in_again_as_the_same_items(phone: Sender) -> None:
    """Ids, versions, values, units, zones, contexts and sources; another person stores just that."""
    hour_ago = text_of(START - HOUR)
    items = [
        sample(1, "spo2", 97, "%", z=540, ver=7),
        sample(2, "blood-pressure", 142, "mm[Hg]", v2=91, s=1, ctx="morning"),
        sample(3, "glucose", 93, "mg/dL", s=2, ctx="fasting"),
        sample(4, "weight", 61.25, "kg", s=3),
        sample(5, "hrv", 42, "ms", ctx="rmssd"),
        sample(6, "temperature", 33.1, "Cel", ctx="wrist"),
        sample(7, "sleep", 60, "min", ctx="deep", t=hour_ago, end=text_of(START)),
        sample(8, "steps", 812, "{steps}", t=hour_ago, end=text_of(START)),
    ]
    records = [
        series(9, [71, 71.5, 72], ver=3, z=420),
        series(10, [93, 95, 99], k="glucose", u="mg/dL", s=2, step_ms=300_000, t0=hour_ago),
    ]
    await sent(phone, *items, series=records)
    await sent(phone, sample(11), seq=2)
    await sent(phone, seq=3, deleted=[{"id": id_of(11)}])
    made = await page(phone)
    found = read_fhir(json.dumps(made).encode())
    assert found.rejected == []
    assert {str(one.id) for one in found.deleted} == {id_of(11)}
    wanted = {one["id"]: one for one in items + records}
    items_found: list[Sample | Series] = [*found.samples, *found.series]
    for item in items_found:
        asked = wanted.pop(str(item.id))
        assert (item.k, item.u, item.ver, item.ctx) == (
            asked["k"],
            asked["u"],
            asked.get("ver", 1),
            asked.get("ctx"),
        )
        assert item.v == asked["v"]
        assert item.z == asked.get("z", 420)
        source = found.sources[item.s]
        sent_by = SOURCES[asked.get("s", 0)]
        assert (source.app, source.kind, source.method) == (
            sent_by["app"],
            sent_by["kind"],
            sent_by.get("method", "automatic"),
        )
    assert wanted == {}


def test_a_missing_part_of_a_blood_pressure_says_that_it_is_missing() -> None:
    part = out.part_of(KINDS["blood-pressure"], "8462-4", None, "mm[Hg]")
    assert part["dataAbsentReason"]["coding"] == [{"system": ABSENT, "code": "unknown"}]
    assert "valueQuantity" not in part
