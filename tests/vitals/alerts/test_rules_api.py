"""Limits over HTTP: what is in force, who may set what, and that every change is a version of its own."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from family.models import Scope
from kernel.access import RecordType
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted, revoke
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, make_person
from vitals.alerts.defaults import by_name
from vitals.alerts.models import HIGH
from vitals.alerts.rules import rules_for
from vitals.kinds import KINDS
from vitals.rules.policy import rule_id_of
from vitals.rules.queries import CONFIRM, UNCONFIRM

PATH = "/v1/me/alert-rules"
WEARABLE: RecordType = "Observation.wearable"
SLOW = {"kind": "heart-rate", "direction": "low", "unit": "/min", "warn": 48}
COPD = {"kind": "spo2", "direction": "low", "unit": "%", "warn": 90, "crit": 88}


class Api:
    """Asks for one person's limits as whoever acts."""

    def __init__(self, client: httpx.AsyncClient, token: str, path: str = PATH, **headers: str) -> None:
        self._client, self._headers, self._path = client, bearer(token) | headers, path

    async def read(self) -> dict[str, Any]:
        got = await self._client.get(self._path, headers=self._headers)
        assert got.status_code == 200, got.text
        return got.json()

    async def put(self, *rules: dict[str, Any], version: int | None = None) -> httpx.Response:
        current = (await self.read())["version"] if version is None else version
        body = {"rules": rules, "version": current}
        return await self._client.put(self._path, json=body, headers=self._headers)

    async def of(self, kind: str) -> list[tuple[str, bool, float | None, float | None]]:
        rules = (await self.read())["rules"]
        return [
            (one["set_by"], one["is_mine"], one.get("warn"), one.get("crit"))
            for one in rules
            if one["kind"] == kind and one["measure"] == "reading"
        ]


@pytest.fixture
async def me(store: Store, clock: FrozenClock) -> Citizen:
    return await make_citizen(store, clock)


async def test_the_list_says_what_is_in_force_in_words_and_between_which_limits_it_can_be(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    async with client_of(store, clock) as client:
        found = await Api(client, me.token).read()
    texts = {one["name"]: one["text"] for one in found["rules"]}
    assert texts == {
        "bp-adult-high": "Huyết áp: báo động từ 180/110 mmHg trở lên",
        "bp-adult-week": "Huyết áp trung bình 7 ngày: cảnh báo từ 135/85 mmHg trở lên",
        "spo2-adult-low": "SpO2: cảnh báo dưới 94 %; báo động dưới 93 %",
        "temp-adult-high": "Nhiệt độ: cảnh báo từ 38,5 °C trở lên",
    }
    assert all(one["source"] and one["set_by"] == "default" for one in found["rules"])
    bounds = {one["kind"]: one for one in found["bounds"]}
    assert set(bounds) == {"heart-rate", "spo2", "resp-rate", "temperature", "blood-pressure", "glucose"}
    assert (bounds["blood-pressure"]["lowest"], bounds["blood-pressure"]["highest2"]) == (50, 200)
    pressure, fever = bounds["blood-pressure"], bounds["temperature"]
    assert (pressure["furthest_high"], pressure["furthest_high2"], pressure["furthest_low"]) == (180, 110, 90)
    assert (fever["furthest_high"], fever["furthest_low"]) == (38.5, 35)
    assert "không phải chẩn đoán" in found["notice"]


async def test_limits_of_ones_own_stand_above_the_default_and_end_when_they_are_left_out(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen
) -> None:
    async with client_of(store, clock) as client:
        api = Api(client, me.token)
        done = await api.put(SLOW, {"kind": "spo2", "direction": "low", "unit": "%", "warn": 95})
        assert (done.status_code, done.json()["changed"]) == (200, 2)
        assert await api.of("heart-rate") == [("citizen", True, 48, None)]
        assert await api.of("spo2") == [("citizen", True, 95, 93)], "the critical limit stays"
        again = await api.put(SLOW, {"kind": "spo2", "direction": "low", "unit": "%", "warn": 95})
        assert again.json()["changed"] == 0
        await api.put(SLOW | {"warn": 45})
        assert await api.of("heart-rate") == [("citizen", True, 45, None)]
        assert await api.of("spo2") == [("default", False, 94, 93)]
    async with owner.transaction() as tx:
        kept = await tx.fetch(
            "SELECT ver, warn, ended_at IS NULL FROM alert_rule WHERE patient_id = $1 AND kind = $2"
            " ORDER BY ver",
            me.patient_id,
            KINDS["heart-rate"].number,
        )
    assert [tuple(row) for row in kept] == [(1, 48.0, False), (2, 45.0, True)], "every change is a version"


async def test_a_list_that_changed_meanwhile_is_not_written_over(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    async with client_of(store, clock) as client:
        api = Api(client, me.token)
        await api.put(SLOW)
        late = await api.put(version=0)
        assert (late.status_code, late.json()["code"]) == (409, "alert-rules-changed")
        assert await api.of("heart-rate") == [("citizen", True, 48, None)]
        wide = await api.put({"kind": "spo2", "direction": "low", "unit": "%", "crit": 80})
        assert (wide.status_code, wide.json()["code"]) == (422, "alert-rule-out-of-bounds")


async def test_a_doctor_with_the_category_sets_limits_and_the_person_ends_them(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    path = f"/v1/doctor/patients/{me.patient_id}/alert-rules"
    async with client_of(store, clock) as client:
        theirs, mine = Api(client, doctor.token, path), Api(client, me.token)
        await granted(store, clock, doctor, me)
        for refused in (await client.get(path, headers=bearer(doctor.token)), await theirs.put(version=0)):
            assert (refused.status_code, refused.json()["code"]) == (403, "no-access"), "not named"
        grant = await granted(store, clock, doctor, me, types=frozenset({WEARABLE}))
        assert (await theirs.put(COPD)).status_code == 200
        assert await theirs.of("spo2") == [("doctor", True, 90, 88)]
        assert await mine.of("spo2") == [("doctor", False, 90, 88)]
        log = (await client.get("/v1/me/access-log", headers=bearer(me.token))).text
        assert "đổi ngưỡng cảnh báo" in log
        await revoke(store, clock, me, grant.grant_id)
        assert (await theirs.put(version=1)).json()["code"] == "no-access"
        assert await mine.of("spo2") == [("doctor", False, 90, 88)], "it is the treatment's, and stays"
        (rule_id,) = [one["rule_id"] for one in (await mine.read())["rules"] if one["kind"] == "spo2"]
        ended = await client.delete(f"{PATH}/{rule_id}", headers=bearer(me.token))
        assert ended.status_code == 204
        assert await mine.of("spo2") == [("default", False, 94, 93)]
        again = await client.delete(f"{PATH}/{rule_id}", headers=bearer(me.token))
        assert again.json()["code"] == "no-such-alert-rule"


async def test_the_last_word_of_a_doctor_counts(store: Store, clock: FrozenClock, me: Citizen) -> None:
    path = f"/v1/doctor/patients/{me.patient_id}/alert-rules"
    async with client_of(store, clock) as client:
        for limit in (89, 91):
            doctor: Doctor = await make_doctor(store, clock, await make_facility(store, clock))
            await granted(store, clock, doctor, me, types=frozenset({WEARABLE}))
            assert (await Api(client, doctor.token, path).put(COPD | {"warn": limit})).status_code == 200
        assert await Api(client, me.token).of("spo2") == [("doctor", False, 91, 88)]


async def test_a_limit_that_a_doctors_stands_above_is_shown_and_outlives_a_change_that_names_it(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    own = {"kind": "spo2", "direction": "low", "unit": "%", "warn": 95}
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, me, types=frozenset({WEARABLE}))
    async with client_of(store, clock) as client:
        api = Api(client, me.token)
        theirs = Api(client, doctor.token, f"/v1/doctor/patients/{me.patient_id}/alert-rules")
        await api.put(own)
        await theirs.put(COPD)
        spo2 = [one for one in (await api.read())["rules"] if one["kind"] == "spo2"]
        assert [(one["set_by"], one["in_force"]) for one in spo2] == [("doctor", True), ("citizen", False)]
        assert (spo2[1]["is_mine"], spo2[1]["warn"]) == (True, 95)
        assert {one["set_by"] for one in (await theirs.read())["rules"] if one["kind"] == "spo2"} == {
            "doctor"
        }
        assert (await api.put(own, SLOW)).json()["changed"] == 1, "only what is new"
        ended = await client.delete(f"{PATH}/{spo2[0]['rule_id']}", headers=bearer(me.token))
        assert ended.status_code == 204
        assert await api.of("spo2") == [("citizen", True, 95, 93)]


async def in_force(store: Store, clock: FrozenClock, person: UUID, birth: str) -> list[str]:
    async with store.transaction() as tx:
        return [rule.owner_role for rule in await rules_for(tx, person, birth, clock.now())]


@pytest.mark.parametrize(("scope", "role"), [("vitals", "follower"), (None, "guardian")])
async def test_a_relatives_limit_is_theirs_alone_and_ends_with_the_link(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen, scope: Scope | None, role: str
) -> None:
    if scope is None:
        person, birth = await make_child(store, clock, me, "2020-01-01"), "2020-01-01"
        headers = {}
    else:
        other = await make_citizen(store, clock)
        person, birth = other.patient_id, other.birth_date
        await make_proxy(store, clock, other, me, scope)
        headers = bearer(other.token)
    async with client_of(store, clock) as client:
        api = Api(client, me.token, **{"X-Patient-Id": str(person)})
        done = await api.put({"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 120})
        assert done.status_code == 200, done.text
        assert await api.of("heart-rate") == [(role, True, 120, None)]
        if headers:
            seen = (await client.get(PATH, headers=headers)).json()["rules"]
            assert {one["set_by"] for one in seen} == {"default"}, "the person does not see it"
    assert role in await in_force(store, clock, person, birth)
    async with owner.transaction() as tx:
        now = clock.now()
        await tx.execute("UPDATE proxy SET ended_at = $2 WHERE proxy_id = $1", me.patient_id, now)
        await tx.execute("DELETE FROM birth_link WHERE mother_id = $1", me.patient_id)
    assert role not in await in_force(store, clock, person, birth)


async def test_a_limit_of_an_ended_link_goes_with_the_next_change_of_anybodys(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen
) -> None:
    other = await make_citizen(store, clock)
    await make_proxy(store, clock, me, other, "vitals")
    async with client_of(store, clock) as client:
        theirs = Api(client, other.token, **{"X-Patient-Id": str(me.patient_id)})
        await theirs.put(SLOW)
        async with owner.transaction() as tx:
            await tx.execute(
                "UPDATE proxy SET ended_at = $2 WHERE proxy_id = $1", other.patient_id, clock.now()
            )
        assert (await Api(client, me.token).put(SLOW)).json()["changed"] == 2
    async with owner.transaction() as tx:
        left = await tx.fetch(
            "SELECT owner_role FROM alert_rule WHERE patient_id = $1 AND ended_at IS NULL", me.patient_id
        )
    assert [row[0] for row in left] == ["citizen"]


async def test_a_guardians_limit_ends_on_the_fifteenth_birthday(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    child = await make_child(store, clock, me, "2011-11-24")
    async with client_of(store, clock) as client:
        api = Api(client, me.token, **{"X-Patient-Id": str(child)})
        await api.put({"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 120})
    assert "guardian" in await in_force(store, clock, child, "2011-11-24")
    assert "guardian" not in await in_force(store, clock, child, "2011-11-21"), "15 by now"


async def test_a_guardian_who_became_a_proxy_changes_what_was_set_before(
    store: Store, owner: Store, clock: FrozenClock, me: Citizen
) -> None:
    """The limit keeps its id and goes on as the next version, in the new role; one is in force."""
    other = await make_citizen(store, clock)
    rule_id = rule_id_of(me.patient_id, KINDS["heart-rate"].number, HIGH)
    async with owner.transaction() as tx:
        await tx.execute(
            "INSERT INTO alert_rule (patient_id, rule_id, ver, owner_id, owner_role, kind, direction, unit,"
            " warn, made_at) VALUES ($1, $2, 1, $3, 'guardian', $4, 1, '/min', 110, $5)",
            other.patient_id,
            rule_id,
            me.patient_id,
            KINDS["heart-rate"].number,
            clock.now(),
        )
    await make_proxy(store, clock, other, me, "vitals")
    async with client_of(store, clock) as client:
        api = Api(client, me.token, **{"X-Patient-Id": str(other.patient_id)})
        done = await api.put({"kind": "heart-rate", "direction": "high", "unit": "/min", "warn": 120})
        assert done.status_code == 200, done.text
        assert await api.of("heart-rate") == [("follower", True, 120, None)]
    async with owner.transaction() as tx:
        kept = await tx.fetch(
            "SELECT ver, owner_role, ended_at IS NULL FROM alert_rule WHERE patient_id = $1 ORDER BY ver",
            other.patient_id,
        )
    assert [tuple(row) for row in kept] == [(1, "guardian", False), (2, "follower", True)]


async def test_an_operator_confirms_a_row_for_everybody(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    async with client_of(store, clock) as client:
        api = Api(client, me.token)
        before = await api.read()
        async with store.transaction() as tx:
            await CONFIRM.run(tx, "hr-adult-high", "a source", clock.now())
        after = await api.read()
        assert [one["name"] for one in after["rules"] if one["kind"] == "heart-rate"] == ["hr-adult-high"]
        assert after["set_version"] != before["set_version"]
        async with store.transaction() as tx:
            await UNCONFIRM.run(tx, "hr-adult-high")
        assert await api.read() == before


async def test_a_strangers_limits_are_refused_like_nobodys(
    store: Store, clock: FrozenClock, me: Citizen
) -> None:
    stranger, _ = await make_person(store, clock)
    async with client_of(store, clock) as client:
        refused = await client.get(PATH, headers=bearer(me.token) | {"X-Patient-Id": str(stranger)})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-book")


def test_people_read_where_a_limit_comes_from_in_their_language() -> None:
    """And no row of the set is a sentence of ours in another one."""
    english = {"the", "none", "no", "of", "for", "and", "with", "limits", "source", "minutes", "hours"}
    for name, row in by_name().items():
        assert not english & set(row.source.lower().replace(";", " ").replace(":", " ").split()), name
