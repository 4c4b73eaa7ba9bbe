"""What a doctor sees of measurements: where a grant names them, its days, and who measured."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest

from kernel.access import Access, RecordType, mint_access
from store.database import Store
from tests.support.batches import Sender, batch, id_of, sample, sender, series, text_of
from tests.support.clock import START, FrozenClock
from tests.support.consent import granted
from tests.support.http import bearer
from tests.support.people import Doctor, make_doctor, make_facility
from vitals.fhir.service import kinds_named, page_of
from vitals.fhir.systems import KIND
from vitals.reads import latest

WEARABLE: RecordType = "Observation.wearable"
NAMED = frozenset({WEARABLE})
HOUR = timedelta(hours=1)
READS = (
    *("latest", "days?kind=heart-rate", "week", "agp", "agp.svg", "bp-home-average", "fhir", "heart-rate"),
    *("heart-rate/readings", "heart-rate/chart.svg", "alerts"),
)


class Consulting:
    """A doctor and a person whose phone sends."""

    def __init__(self, phone: Sender, doctor: Doctor) -> None:
        self.phone, self.doctor = phone, doctor

    async def read(self, path: str, **query: Any) -> Any:
        url = f"/v1/doctor/patients/{self.phone.citizen.patient_id}/vitals/{path}"
        return await self.phone.client.get(url, params=query or None, headers=bearer(self.doctor.token))

    async def log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.phone.ask("GET", "/v1/me/access-log")).json()["items"]
        return found

    async def granted(self, store: Store, clock: FrozenClock, **more: Any) -> Any:
        return await granted(store, clock, self.doctor, self.phone.citizen, **{"types": NAMED, **more})


@pytest.fixture
async def met(store: Store, clock: FrozenClock) -> AsyncIterator[Consulting]:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    async with sender(store, clock) as phone:
        values = [sample(i, t=text_of(START - i * HOUR * 24), v=60 + i) for i in range(4)]
        sent = await phone.send(batch(*values, series=[series(9, t0=text_of(START - HOUR))]))
        assert sent.json()["stored"] == 5, sent.text
        yield Consulting(phone, doctor)


async def test_a_doctor_reads_measurements_only_where_the_grant_names_them(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    """Refused, not empty: an empty answer would say that nothing was measured."""
    assert {(await met.read(path)).json()["code"] for path in READS} == {"no-access"}
    await met.granted(store, clock, types=None)
    assert {(await met.read(path)).status_code for path in READS} == {403}
    await met.granted(store, clock)
    assert {path: (await met.read(path)).status_code for path in READS} == dict.fromkeys(READS, 200)


async def test_every_read_and_refusal_of_a_doctor_stands_in_the_log(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    await met.granted(store, clock, types=None)
    await met.read("latest")
    (refused,) = [one for one in await met.log() if one["outcome"] == "refused"]
    assert "chỉ số tự đo" in refused["line"]
    await met.granted(store, clock)
    await met.read("latest")
    await met.read("fhir")
    told = " ".join(one["line"] for one in await met.log() if one["outcome"] == "ok")
    assert "xem chỉ số tự đo" in told
    assert "FHIR" in told
    assert "xét nghiệm" not in told, "what a watch measured is no test of a laboratory"


async def test_who_saw_limits_did_not_see_nothing(store: Store, clock: FrozenClock, met: Consulting) -> None:
    await met.granted(store, clock)
    url = f"/v1/doctor/patients/{met.phone.citizen.patient_id}/alert-rules"
    assert (await met.phone.client.get(url, headers=bearer(met.doctor.token))).json()["rules"]
    await met.read("alerts")
    told = [one["line"].split(" đã ")[1] for one in await met.log() if one["outcome"] == "ok"]
    assert any(line.startswith("xem ngưỡng cảnh báo –") for line in told)
    assert any(line.startswith("xem cảnh báo của số đo (không có mục nào)") for line in told)


async def test_an_answer_to_a_doctor_says_that_the_person_measured_and_what_may_be_left_out(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    await met.granted(store, clock)
    shown = (await met.read("latest")).json()
    assert shown["items"][0]["source"]["kind"] == "watch"
    assert shown["beside"]["self_measured_vi"]
    assert shown["beside"]["notice"]["vi"]
    own = (await met.phone.ask("GET", "/v1/me/vitals/latest")).json()
    assert own["beside"]["notice"] is None


async def test_the_days_of_a_grant_bound_every_read_of_measurements(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    """Two days ago alone: neither what is newer nor what is older, counted or drawn, is there."""
    day = date.fromisoformat(text_of(START - 2 * 24 * HOUR)[:10])
    await met.granted(store, clock, since=day, until=day)
    span = {"since": text_of(START - 10 * 24 * HOUR), "until": text_of(START + HOUR)}
    readings = (await met.read("heart-rate/readings", **span)).json()
    assert [one["id"] for one in readings["items"]] == [id_of(2)]
    observed = (await met.read("fhir")).json()
    seen = [one["resource"]["id"] for one in observed["entry"] if one["search"]["mode"] == "match"]
    assert seen == [id_of(2)]
    chart = (await met.read("heart-rate", **span)).json()
    assert sum(bucket["n"] for bucket in chart["buckets"]) == 1
    days = (await met.read("days", kind="heart-rate")).json()
    assert [one["n"] for one in days["items"]] == [1]
    assert (await met.read("latest")).json()["items"] == []


async def test_what_was_narrowed_away_is_refused_on_the_next_read(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    both = frozenset({WEARABLE, "Observation.vital-signs"})
    grant = await met.granted(store, clock, types=both)
    assert (await met.read("latest")).status_code == 200
    changed = await met.phone.client.patch(
        f"/v1/me/grants/{grant.grant_id}",
        json={"types": ["Observation.vital-signs"]},
        headers=bearer(met.phone.citizen.token),
    )
    assert changed.status_code == 200, changed.text
    assert (await met.read("latest")).json()["code"] == "no-access"


async def test_a_strange_book_is_refused_like_one_that_does_not_exist(met: Consulting) -> None:
    for path in READS:
        strange = await met.read(path)
        url = f"/v1/doctor/patients/018f0000-0000-7000-8000-00000000abcd/vitals/{path}"
        nobody = await met.phone.client.get(url, headers=bearer(met.doctor.token))
        assert (strange.status_code, nobody.status_code) == (403, 403)
        assert strange.json() == nobody.json()


async def test_s10_measurements_of_a_merged_person_are_there_only_where_the_decision_names_it(
    store: Store, clock: FrozenClock, met: Consulting
) -> None:
    """Rows stay with who they were sent for; a grant's decision names nobody, the own one who was proven."""
    survivor = met.phone.citizen
    async with sender(store, clock) as other:
        await other.send(batch(sample("theirs", "spo2", 97, "%")))
    basis: Any = {"actor": survivor.actor, "action": "read-trend", "purpose": "PATRQT"}
    merged = mint_access(
        patient_id=survivor.patient_id,
        basis="self",
        origins=frozenset({other.citizen.patient_id}),
        **basis,
    )
    alone = mint_access(patient_id=survivor.patient_id, basis="grant", types=NAMED, **basis)
    assert await kinds_seen(store, merged) == {"heart-rate", "spo2"}
    assert await kinds_seen(store, alone) == {"heart-rate"}


async def kinds_seen(store: Store, access: Access) -> set[str]:
    async with store.transaction() as tx:
        page = await page_of(tx, access, kinds_named(None) or [], None, None, None, None)
        newest = json.loads((await latest.read(tx, access)).body)["items"]
    codings = [one["resource"]["code"]["coding"] for one in page.entries if one["search"]["mode"] == "match"]
    observed = {coding["code"] for coded in codings for coding in coded if coding["system"] == KIND}
    assert observed == {one["kind"] for one in newest}
    return observed
