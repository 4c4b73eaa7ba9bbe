"""Limits that a disease of the record moves: for whom, by which entries, and who learns of it."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.models import Source
from kernel.access import Label, RecordType
from store.database import Store, Tx
from store.statement import Scalar
from tests.support.alerting import reading
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.family import make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_person, renew_session
from tests.support.record import hospital, write
from tests.support.statistics import seen_with
from tests.support.telling import PATH as ALERTS
from tests.support.telling import House
from vitals.alerts.defaults import by_name, conditions_of, default_rules, defaults, part_of
from vitals.alerts.models import Rule
from vitals.conditions.queries import STANDING
from vitals.conditions.service import standing
from vitals.kinds import KINDS
from vitals.rules.texts import MAY_DIFFER_VI

RULES = "/v1/me/alert-rules"
COPD = "spo2-copd-low"
ADULTS = "spo2-adult-low"
WEARABLE: RecordType = "Observation.wearable"
TODAY = date(2026, 11, 22)
BIRTH = "1950-01-01"
SPO2 = KINDS["spo2"].number
# Below the limits of an adult, and above those of somebody with the disease; below both.
LOW = [91.0, 91.0, 90.5, 91.0]
FAR_LOW = [87.5, 87.0, 87.5]


def spo2_of(birth: str, confirmed: frozenset[str], icd: frozenset[str]) -> Rule | None:
    return next((one for one in default_rules(birth, TODAY, confirmed, icd) if one.kind == SPO2), None)


def test_a_row_for_a_disease_stands_in_the_place_of_the_row_of_the_age() -> None:
    ill, confirmed = frozenset({"J44"}), frozenset({COPD})
    plain, moved = spo2_of(BIRTH, confirmed, frozenset()), spo2_of(BIRTH, confirmed, ill)
    assert plain is not None
    assert moved is not None
    assert (plain.name, plain.warn, plain.crit) == (ADULTS, 939, 929)
    assert (moved.name, moved.warn, moved.crit, moved.at_once) == (COPD, None, 879, None)
    assert moved.rule_id == plain.rule_id, "its silence goes on"
    assert moved.ver != plain.ver, "what was judged by the other is not taken back"
    assert spo2_of(BIRTH, frozenset(), ill) == spo2_of(BIRTH, frozenset(), frozenset()), "ships disabled"
    child = spo2_of("2020-01-01", confirmed, ill)
    assert child is not None
    assert child.name == "spo2-child-low"


def test_every_row_for_a_disease_has_its_place_and_is_not_in_force_without_a_source() -> None:
    rows = [row for row in defaults().rows if row.condition or row.instead_of]
    assert [row.name for row in rows] == [COPD]
    for row in rows:
        base = by_name()[row.instead_of or ""]
        assert row.condition
        assert not base.condition
        assert (row.kind, row.direction, row.measure) == (base.kind, base.direction, base.measure)
        assert row.from_months >= base.from_months
        assert base.until_months is None or (row.until_months or 1801) <= base.until_months
        assert part_of(row, "warn", frozenset()) is None
        assert part_of(row, "crit", frozenset()) is None
    assert conditions_of(BIRTH, TODAY, frozenset()) == {}
    assert conditions_of(BIRTH, TODAY, frozenset({COPD})) == {SPO2: frozenset({"J44"})}
    assert conditions_of("2020-01-01", TODAY, frozenset({COPD})) == {}
    assert conditions_of(None, TODAY, frozenset({COPD})) == {}


async def diagnose(store: Store, clock: FrozenClock, person: UUID, icd: str = "J44.9", **more: Any) -> None:
    body = seen_with(icd, "2026-11-11") | more.pop("body", {})
    await write(store, person, [body], clock.now(), **more)


async def test_somebody_with_the_disease_is_judged_by_its_limit_from_the_next_reading_on(
    house: House,
) -> None:
    await house.patient.confirm(COPD)
    assert [one.severity for one in await house.measure(LOW, minute=3)] == [2]
    await diagnose(house.store, house.clock, house.me.patient_id)
    assert await house.measure(LOW, minute=10) == []
    (before,) = await house.patient.alerts()
    assert before.status == "closed", "it held by the limit of that time"
    (after,) = await house.measure(FAR_LOW, minute=20)
    assert (after.rule_id, after.severity) == (before.rule_id, 2)
    assert after.rule_ver != before.rule_ver


async def test_the_record_is_asked_only_where_a_disease_could_move_a_limit_of_what_was_measured(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()
    known = Scalar.all

    async def counting(statement: Scalar[Any], tx: Tx, *args: object) -> list[Any]:
        asked.extend(args[-1:] if statement is STANDING else [])
        return await known(statement, tx, *args)

    monkeypatch.setattr(Scalar, "all", counting)
    await diagnose(house.store, house.clock, house.me.patient_id)
    assert [one.severity for one in await house.measure(LOW, minute=3)] == [2], "nobody confirmed the row"
    assert asked == []
    await house.patient.confirm(COPD)
    await house.patient.send(reading(5, 120, "heart-rate"), minute=5)
    assert asked == []
    assert await house.measure(LOW, minute=10) == []
    assert asked == [["J44"]]


async def counted(store: Store, clock: FrozenClock, person: UUID) -> bool:
    async with store.transaction() as tx:
        return bool(await standing(tx, person, ["J44"], clock.now()))


COUNTED: dict[str, dict[str, Any]] = {
    "a code with a dot": {},
    "a group": {"icd": "J44"},
    "a code without a dot": {"icd": "J449"},
    "of another core": {"source": hospital("main")},
    "without an end so far": {"body": {"abatementDateTime": "2027-01-15"}},
}
NOT_COUNTED: dict[str, dict[str, Any]] = {
    "another disease": {"icd": "J45.9"},
    "another code system": {
        "body": {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "J44.9"}], "text": "x"}}
    },
    "words alone": {"body": {"code": {"text": "J44.9"}}},
    "over": {"body": {"clinicalStatus": {"coding": [{"code": "resolved"}]}}},
    "ended": {"body": {"abatementDateTime": "2026-11-15"}},
    "refuted": {"body": {"verificationStatus": {"coding": [{"code": "refuted"}]}}},
    "said by the person": {
        "source": Source(source_id="own", facility_id=None, credential="own", state="self-declared")
    },
    "labelled": {"labels": int(Label.PSY)},
}
MARKS = {
    "hidden from everybody": "hidden_from = ARRAY['00000000-0000-0000-0000-000000000000'::uuid]",
    "hidden from somebody": "hidden_from = ARRAY['00000000-0000-0000-0000-0000000000aa'::uuid]",
    "hidden from the family": "hidden_from = ARRAY['00000000-0000-0000-0000-000000000001'::uuid]",
    "contested": "contested = true",
    "disputed": "state = 'disputed'",
    "before its release": "release_at = '2030-01-01'",
    "of a merged person": "origin_patient_id = '00000000-0000-0000-0000-0000000000aa'::uuid",
    "deleted": "deleted = true",
}


@pytest.mark.parametrize("why", [*COUNTED, *NOT_COUNTED])
async def test_a_verified_active_diagnosis_counts_whichever_core_sent_it_and_nothing_else(
    store: Store, clock: FrozenClock, why: str
) -> None:
    person, _ = await make_person(store, clock)
    await diagnose(store, clock, person, **(COUNTED | NOT_COUNTED)[why])
    assert await counted(store, clock, person) == (why in COUNTED)


@pytest.mark.parametrize("why", MARKS)
async def test_s23_what_some_readers_of_diagnoses_do_not_see_moves_no_limit(
    store: Store, owner: Store, clock: FrozenClock, why: str
) -> None:
    person, _ = await make_person(store, clock)
    await diagnose(store, clock, person)
    assert await counted(store, clock, person)
    async with owner.transaction() as tx:
        await tx.execute(f"UPDATE ehr_resource SET {MARKS[why]} WHERE patient_id = $1", person)
    assert not await counted(store, clock, person)


async def test_s23_what_a_visit_of_a_sensitive_department_noted_moves_no_limit(
    store: Store, clock: FrozenClock
) -> None:
    """The family sees nothing of such a visit, whatever its rows are labelled."""
    person, _ = await make_person(store, clock)
    visit = {"resourceType": "Encounter", "id": "v", "status": "finished", "class": {"code": "AMB"}}
    await diagnose(store, clock, person, body={"encounter": {"reference": "Encounter/v"}})
    await write(store, person, [visit], clock.now())
    assert await counted(store, clock, person)
    await write(store, person, [visit], clock.now(), labels=int(Label.PSY))
    assert not await counted(store, clock, person)


async def rules_of(client: httpx.AsyncClient, token: str, path: str = RULES, **headers: str) -> list[Any]:
    got = await client.get(path, headers=bearer(token) | headers)
    assert got.status_code == 200, got.text
    return got.json()["rules"]


async def alerts_of(client: httpx.AsyncClient, token: str, path: str, **headers: str) -> list[Any]:
    got = await client.get(path, headers=bearer(token) | headers)
    assert got.status_code == 200, got.text
    return got.json()["alerts"]


async def test_whoever_sees_diagnoses_reads_which_limit_it_is_and_why(house: House) -> None:
    await house.patient.confirm(COPD)
    await diagnose(house.store, house.clock, house.me.patient_id)
    doctor = await make_doctor(house.store, house.clock, await make_facility(house.store, house.clock))
    await granted(house.store, house.clock, doctor, house.me, types=frozenset({WEARABLE, "Condition"}))
    path = f"/v1/doctor/patients/{house.me.patient_id}/alert-rules"
    async with client_of(house.store, house.clock) as client:
        for token, where in ((house.me.token, RULES), (doctor.token, path)):
            (one,) = [it for it in await rules_of(client, token, where) if it["kind"] == "spo2"]
            assert one["text"] == "SpO2: báo động dưới 88 %; mục tiêu 88–92 %"
            assert (one["name"], one["crit"], one["target"]) == (COPD, 88, [88, 92])
            assert not one.get("may_differ")


async def test_s23_whoever_does_not_see_diagnoses_reads_the_same_with_the_disease_and_without(
    house: House,
) -> None:
    """A proxy who follows measurements alone, and a doctor whose grant names them alone: what they read of a
    person with the disease is to the letter what they read of one without."""
    store, clock = house.store, house.clock
    await house.patient.confirm(COPD)
    well = await make_citizen(store, clock)
    await diagnose(store, clock, house.me.patient_id)
    proxy = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    own = {"kind": "spo2", "direction": "low", "unit": "%", "warn": 95}
    for person in (house.me, well):
        await make_proxy(store, clock, person, proxy, "vitals")
        await granted(store, clock, doctor, person, types=frozenset({WEARABLE}))
    async with client_of(store, clock) as client:

        async def read(person: Citizen) -> list[Any]:
            headers = {"X-Patient-Id": str(person.patient_id)}
            path = f"/v1/doctor/patients/{person.patient_id}/alert-rules"
            return [
                await rules_of(client, proxy.token, **headers),
                await rules_of(client, doctor.token, path),
            ]

        ill_read, well_read = await read(house.me), await read(well)
        assert ill_read == well_read
        (one,) = [it for it in ill_read[0] if it["kind"] == "spo2"]
        assert (one["name"], one["crit"], one["version"], one["may_differ"]) == (ADULTS, 93, 1, True)
        assert one["text"].endswith(MAY_DIFFER_VI)
        for person in (house.me, well):
            body = {"rules": [own], "version": 0}
            done = await client.put(RULES, json=body, headers=bearer(person.token))
            assert done.status_code == 200, done.text
        under = [it for it in (await read(house.me))[0] if it["kind"] == "spo2"]
        assert [(it["warn"], it["crit"], it["may_differ"]) for it in under] == [(95, 93, True)]
        mine = [it for it in await rules_of(client, house.me.token) if it["kind"] == "spo2"]
        assert [(it["warn"], it["crit"]) for it in mine] == [(95, 88)]


async def test_s23_an_alert_by_such_a_limit_names_no_version_of_its_own_to_who_sees_no_diagnosis(
    house: House,
) -> None:
    store, clock = house.store, house.clock
    await house.patient.confirm(COPD)
    await diagnose(store, clock, house.me.patient_id)
    (alert,) = await house.measure(FAR_LOW, minute=3)
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, house.me, proxy, "vitals")
    async with client_of(store, clock) as client:
        (own,) = await alerts_of(client, await renew_session(store, clock, house.me), ALERTS)
        token = await renew_session(store, clock, proxy)
        headers = {"X-Patient-Id": str(house.me.patient_id)}
        (theirs,) = await alerts_of(client, token, ALERTS, **headers)
    assert (own["rule_version"], theirs["rule_version"]) == (alert.rule_ver, 1)
    assert "88" not in str(theirs["text"])
    assert {name: one for name, one in theirs.items() if own[name] != one} == {"rule_version": 1}
