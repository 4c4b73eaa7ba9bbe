"""Reactions after vaccination: the advice in the answer, the facility's list, the 24 hours, who sees what."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from ehr.models import Source
from healthbook.dispatch import dispatch, tick
from identity.budgets import REACTIONS_DAY
from identity.models import Facility
from identity.sessions import open_citizen_session
from kernel.clock import local_day
from kernel.ids import bucket_of
from store.database import Store
from store.models import Due
from store.outbox import claim_events
from tests.support.clock import FrozenClock
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility, sign_in_again
from tests.support.record import our_id, write
from vaccination.reactions.policy import JOB

PATH = "/v1/me/vaccination/reactions"
STAFF_PATH = "/v1/facility/vaccination/reactions"
BREATHING = [{"code": "breathing"}, {"code": "fever", "celsius": 38.2}]
WITHHELD = "HIV dương tính"


class Setting:
    """A person with a dose of today, the facility that gave it, two of its staff and a doctor elsewhere."""

    person: Citizen
    facility: Facility
    doctor: Doctor
    nurse: Doctor
    stranger: Doctor
    dose: str

    @property
    def own(self) -> dict[str, str]:
        return bearer(self.person.token)

    def staff(self, who: Doctor | None = None) -> dict[str, str]:
        return bearer((who or self.doctor).token)


async def give(
    store: Store, clock: FrozenClock, person: UUID, facility: Facility, name: str = "dose", days: int = 0
) -> str:
    """A dose of so many days ago in a book, from a facility; its id there."""
    source = Source(source_id="a", facility_id=facility.facility_id, credential="system-a")
    day = local_day(clock.now()) - timedelta(days=days)
    body = {
        "resourceType": "Immunization",
        "id": name,
        "status": "completed",
        "vaccineCode": {"text": "Infanrix Hexa"},
        "lotNumber": "LOT-7",
        "occurrenceDateTime": day.isoformat(),
    }
    await write(store, person, [body], clock.now(), source=source, unit=name)
    return our_id("a", name)


@pytest.fixture
async def here(store: Store, clock: FrozenClock) -> Setting:
    made = Setting()
    made.facility = await make_facility(store, clock)
    made.person = await make_citizen(store, clock)
    made.doctor = await make_doctor(store, clock, made.facility)
    made.nurse = await make_doctor(store, clock, made.facility)
    made.stranger = await make_doctor(store, clock, await make_facility(store, clock))
    made.dose = await give(store, clock, made.person.patient_id, made.facility)
    return made


async def report(client: httpx.AsyncClient, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    body = {"symptoms": BREATHING, "said": "severe"} | body
    made = await client.post(PATH, json=body, headers=headers)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


async def staff_does(
    client: httpx.AsyncClient,
    here: Setting,
    ident: str,
    act: str,
    body: Any = None,
    who: Doctor | None = None,
) -> httpx.Response:
    return await client.post(f"{STAFF_PATH}/{ident}/{act}", json=body, headers=here.staff(who))


async def listed(client: httpx.AsyncClient, here: Setting, **query: Any) -> list[dict[str, Any]]:
    found = await client.get(STAFF_PATH, params=query, headers=here.staff())
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def notices(store: Store, clock: FrozenClock, patient_id: UUID) -> list[str]:
    """What a person was told, once everything that was emitted has been said."""
    async with store.transaction() as tx:
        for event in await claim_events(tx, bucket_of(patient_id), clock.now(), 500):
            await dispatch(tx, store.keys, event, clock.now())
        rows = await tx.fetch("SELECT type FROM notification WHERE patient_id = $1", patient_id)
    return [row["type"] for row in rows if row["type"].startswith("reaction")]


async def run_timer(store: Store, clock: FrozenClock, patient_id: UUID, ident: str) -> Any:
    due = Due(bucket_of(patient_id), clock.now(), JOB, f"{patient_id}:{ident}")
    async with store.transaction() as tx:
        return await tick(tx, store.keys, due, clock.now())


async def later(store: Store, clock: FrozenClock, here: Setting) -> dict[str, str]:
    """Everybody signed in anew; the person's headers."""
    await sign_in_again(store, clock, here.doctor)
    person = here.person
    assert person.phone.device_id is not None
    async with store.transaction() as tx:
        tokens = await open_citizen_session(tx, person.patient_id, person.phone.device_id, clock.now())
    return bearer(tokens.access_token)


async def armed(store: Store, ident: str) -> bool:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT 1 FROM due_queue WHERE kind = $1 AND ref LIKE '%' || $2", JOB, ident)
    return bool(rows)


async def test_a_severe_report_says_call_115_first_and_stands_first_at_the_facility(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        mild = await report(
            client, here.own, symptoms=[{"code": "pain"}], said="mild", immunization_id=here.dose
        )
        assert (mild["call_115"], mild["severity"], mild["due_at"]) == (False, "mild", None)
        severe = await report(client, here.own, said="mild", immunization_id=here.dose)
        assert list(severe)[:3] == ["emergency_vi", "emergency_en", "call_115"]
        assert severe["call_115"] is True
        assert severe["severity"] == "severe", "by the sign, whatever the reporter says"
        assert severe["advice_vi"].startswith("GỌI 115 NGAY")
        assert "Khó thở thì để ngồi" in severe["advice_vi"], "nobody who cannot breathe is told to lie down"
        assert "nằm nghiêng" in severe["advice_vi"]
        assert severe["dose"] == {
            "immunization_id": here.dose,
            "vaccine": "Infanrix Hexa",
            "lot": "LOT-7",
            "given": local_day(clock.now()).isoformat(),
            "in_book": True,
        }
        assert severe["facility_name"] == here.facility.name
        clock.advance(minutes=1)
        await report(client, here.own, symptoms=[{"code": "rash"}], said="mild", immunization_id=here.dose)
        found = await listed(client, here)
        assert [one["severity"] for one in found] == ["severe", "mild", "mild"]
        assert found[0]["reaction_id"] == severe["reaction_id"]
        first = await client.get(STAFF_PATH, params={"limit": 1}, headers=here.staff())
        rest = await client.get(
            STAFF_PATH, params={"limit": 5, "cursor": first.json()["next"]}, headers=here.staff()
        )
        assert first.json()["items"] + rest.json()["items"] == found
        shown = json.dumps(found)
        assert here.person.name not in shown
        assert "breathing" not in shown
    assert await armed(store, severe["reaction_id"])
    assert not await armed(store, mild["reaction_id"])
    assert await notices(store, clock, here.person.patient_id) == ["reaction-severe"]


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ({"symptoms": [{"code": "pain"}], "said": "mild"}, "mild"),
        ({"symptoms": [{"code": "pain"}], "said": "severe"}, "severe"),
        ({"symptoms": [{"code": "fever", "celsius": 38.9}], "said": "mild"}, "mild"),
        ({"symptoms": [{"code": "fever", "celsius": 39.0}], "said": "mild"}, "moderate"),
        ({"symptoms": [{"code": "pain"}, {"code": "convulsion"}], "said": "mild"}, "severe"),
        ({"symptoms": [{"code": "pain"}], "said": "mild", "treatment": "hospital-stay"}, "severe"),
        ({"symptoms": [{"code": "poor-feeding"}], "said": "mild"}, "moderate"),
    ],
)
async def test_the_worst_of_signs_word_and_treatment_counts(
    store: Store, clock: FrozenClock, here: Setting, body: dict[str, Any], severity: str
) -> None:
    async with client_of(store, clock) as client:
        answer = await report(client, here.own, **body)
    assert (answer["severity"], answer["call_115"]) == (severity, severity == "severe")


async def test_nothing_about_the_dose_keeps_a_severe_report_out(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        gone = await report(client, here.own, immunization_id="no-such-dose")
        assert (gone["dose"], gone["facility_name"], gone["call_115"]) == (None, None, True)
        nowhere = await report(client, here.own, facility_id="018f0000-0000-7000-8000-000000000000")
        assert (nowhere["facility_name"], nowhere["due_at"]) == (None, None)
        unsent = await report(
            client,
            here.own,
            unsent={"vaccine": "Vắc xin 5 trong 1", "lot": "X1", "given_on": "2026-11-22"},
            facility_id=str(here.facility.facility_id),
            onset_at=(clock.now() + timedelta(days=3)).isoformat(),
        )
        assert (unsent["dose"]["in_book"], unsent["dose"]["lot"]) == (False, "X1")
        assert unsent["facility_name"] == here.facility.name
        assert unsent["due_at"] is not None
        assert unsent["onset_at"] <= unsent["reported_at"], "a clock that is ahead says now"


async def test_words_that_the_gate_stops_are_left_out_and_the_report_stands(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        answer = await report(client, here.own, immunization_id=here.dose, note=WITHHELD)
        assert (answer["words_left_out"], answer["note"], answer["call_115"]) == (True, None, True)
        more = await client.post(
            f"{PATH}/{answer['reaction_id']}/symptoms",
            json={"symptoms": [{"code": "fever"}], "note": WITHHELD},
            headers=here.own,
        )
        assert (more.json()["words_left_out"], more.json()["steps"][0]["note"]) == (True, None)
        await staff_does(client, here, answer["reaction_id"], "acknowledge")
        refused = await staff_does(client, here, answer["reaction_id"], "follow-up", {"text": WITHHELD})
        assert (refused.status_code, refused.json()["code"]) == (422, "reaction-withheld")


async def test_the_same_request_again_is_the_same_report(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    headers = here.own | {"Idempotency-Key": "018f0000-0000-7000-8000-00000000aaaa"}
    async with client_of(store, clock) as client:
        first = await report(client, headers, immunization_id=here.dose)
        again = await report(client, headers, immunization_id=here.dose)
        assert again == first
        quick = here.own | {"Idempotency-Key": "018f0000-0000-7000-8000-00000000bbbb"}
        one, two = [
            await client.post(f"{PATH}/quick", json={"symptoms": BREATHING}, headers=quick) for _ in range(2)
        ]
        assert one.json() == two.json()
        assert len(await listed(client, here)) == 2
    assert await notices(store, clock, here.person.patient_id) == ["reaction-severe"] * 2


async def test_the_quick_report_finds_the_newest_dose_of_the_last_days(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        body = {"symptoms": [{"code": "convulsion"}]}
        found = await client.post(f"{PATH}/quick", json=body, headers=here.own)
        answer = found.json()
        assert (found.status_code, answer["kind"], answer["call_115"]) == (201, "quick", True)
        assert answer["dose"]["immunization_id"] == here.dose
        assert [one["reaction_id"] for one in await listed(client, here)] == [answer["reaction_id"]]
        other = await make_citizen(store, clock)
        await give(store, clock, other.patient_id, here.facility, days=29)
        old = await client.post(f"{PATH}/quick", json=body, headers=bearer(other.token))
        assert (old.json()["dose"], old.json()["call_115"]) == (None, True)
        await give(store, clock, other.patient_id, here.facility, "later", days=28)
        near = await client.post(f"{PATH}/quick", json=body, headers=bearer(other.token))
        assert near.json()["dose"]["immunization_id"] == our_id("a", "later")


async def test_the_24_hours_run_out_once_and_stop_when_the_health_department_was_told(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        late = await report(client, here.own, immunization_id=here.dose)
        told = await report(client, here.own, immunization_id=here.dose)
        assert late["due_at"] == (clock.now() + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
        done = await staff_does(client, here, told["reaction_id"], "authority-told")
        assert (done.json()["state"], done.json()["authority_told"]) == ("acknowledged", True)
        again = await staff_does(client, here, told["reaction_id"], "authority-told")
        assert again.json()["code"] == "reaction-state"
        assert not await armed(store, told["reaction_id"])
        person = here.person.patient_id
        clock.advance(hours=23, minutes=59)
        await later(store, clock, here)
        assert await run_timer(store, clock, person, late["reaction_id"]) is not None, "not yet"
        assert not any(one["overdue"] for one in await listed(client, here))
        clock.advance(minutes=1)
        before = await notices(store, clock, person)
        for _ in range(3):
            assert await run_timer(store, clock, person, late["reaction_id"]) is None
            assert await run_timer(store, clock, person, told["reaction_id"]) is None
        after = await notices(store, clock, person)
        assert len(after) - len(before) == 1, "told once"
        overdue = {one["reaction_id"]: one["overdue"] for one in await listed(client, here)}
        assert overdue == {late["reaction_id"]: True, told["reaction_id"]: False}
        mine = await client.get(f"{PATH}/{late['reaction_id']}", headers=await later(store, clock, here))
        assert mine.json()["overdue"] is True


async def test_the_health_department_sees_who_is_late_and_nothing_else(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    path = "/v1/department/vaccination/reactions"
    async with client_of(store, clock) as client:
        made = [await report(client, here.own, immunization_id=here.dose) for _ in range(3)]
        idents = [one["reaction_id"] for one in made]
        await staff_does(client, here, idents[2], "authority-told")
        clock.advance(hours=24)
        for ident in idents:
            await run_timer(store, clock, here.person.patient_id, ident)
        analyst = await make_doctor(store, clock, here.facility, role="department-analyst")
        seen = await late_at(client, path, analyst, here)
        assert sorted(one["reaction_id"] for one in seen) == sorted(idents[:2])
        assert set(seen[0]) == {
            *("reaction_id", "facility_id", "facility_name"),
            *("state", "reported_at", "due_at", "overdue_at"),
        }
        assert seen[0]["facility_name"] == here.facility.name
        assert here.person.name not in json.dumps(seen)
        await later(store, clock, here)
        await staff_does(client, here, idents[0], "authority-told")
        left = await late_at(client, path, analyst, here)
        assert [one["reaction_id"] for one in left] == [idents[1]]


async def late_at(
    client: httpx.AsyncClient, path: str, analyst: Doctor, here: Setting
) -> list[dict[str, Any]]:
    """What the department sees of this facility, page by page of one."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        answer = await client.get(path, params=query, headers=bearer(analyst.token))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        query["cursor"] = answer.json()["next"]
    assert len({one["reaction_id"] for one in found}) == len(found)
    return [one for one in found if one["facility_id"] == str(here.facility.facility_id)]


async def test_what_gets_worse_alerts_and_starts_its_clock_then(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        mild = await report(
            client, here.own, symptoms=[{"code": "fever"}], said="mild", immunization_id=here.dose
        )
        assert await notices(store, clock, here.person.patient_id) == []
        clock.advance(hours=5)
        again = await later(store, clock, here)
        path = f"{PATH}/{mild['reaction_id']}/symptoms"
        worse = await client.post(path, json={"symptoms": BREATHING}, headers=again)
        assert (worse.status_code, worse.json()["call_115"]) == (200, True)
        assert worse.json()["due_at"] == (clock.now() + timedelta(hours=24)).isoformat().replace(
            "+00:00", "Z"
        )
        clock.advance(seconds=1)
        better = await client.post(path, json={"symptoms": [{"code": "fever"}]}, headers=again)
        assert better.json()["severity"] == "severe", "a report never gets better by itself"
        assert better.json()["due_at"] == worse.json()["due_at"]
        assert [len(one["symptoms"]) for one in better.json()["steps"]] == [2, 1]
    assert await notices(store, clock, here.person.patient_id) == ["reaction-severe"]


async def test_acknowledged_followed_up_and_closed_and_the_person_reads_it(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    ending = {"outcome": "recovered", "assessed": "severe"}
    async with client_of(store, clock) as client:
        ident = (await report(client, here.own, immunization_id=here.dose, phone="0901234567"))["reaction_id"]
        early = await staff_does(client, here, ident, "outcome", ending)
        assert (early.status_code, early.json()["code"]) == (409, "reaction-state")
        opened = await client.get(f"{STAFF_PATH}/{ident}", headers=here.staff(here.nurse))
        assert (opened.json()["person_name"], opened.json()["phone"]) == (here.person.name, "0901234567")
        assert opened.json()["dose"]["lot"] == "LOT-7"
        assert (await staff_does(client, here, ident, "acknowledge")).json()["state"] == "acknowledged"
        assert (await staff_does(client, here, ident, "acknowledge")).json()["code"] == "reaction-state"
        noted = await staff_does(client, here, ident, "follow-up", {"text": "Đã khám tại nhà."}, here.nurse)
        assert noted.json()["state"] == "acknowledged"
        untold = await staff_does(client, here, ident, "outcome", ending)
        assert (untold.status_code, untold.json()["code"]) == (409, "reaction-untold")
        await staff_does(client, here, ident, "authority-told")
        closed = await staff_does(client, here, ident, "outcome", ending)
        assert closed.json()["state"] == "closed"
        assert await listed(client, here) == []
        assert len(await listed(client, here, running=False)) == 1
        mine = (await client.get(f"{PATH}/{ident}", headers=here.own)).json()
        assert (mine["state"], mine["outcome"], mine["assessed"]) == ("closed", "recovered", "severe")
        assert (mine["call_115"], mine["severity"]) == (False, "severe"), "nobody rings 115 for last year's"
        assert "đã kết thúc" in mine["advice_vi"]
        assert [one["note"] for one in mine["steps"]] == ["Đã khám tại nhà."]
        assert mine["acknowledged_at"] is not None
        assert mine["authority_told_at"] is not None
        over = await client.post(f"{PATH}/{ident}/symptoms", json={"symptoms": BREATHING}, headers=here.own)
        assert over.json()["code"] == "reaction-state"
        assert "115" in over.text
    told = await notices(store, clock, here.person.patient_id)
    assert told.count("reaction-update") == 4
    async with store.transaction() as tx:
        rows = await tx.fetch(
            "SELECT entry::json->>'action' AS act, actor_name FROM access_log WHERE patient_id = $1"
            " AND entry::json->>'action' LIKE 'vaccination:%' ORDER BY seq",
            here.person.patient_id,
        )
    acts = [row["act"].rsplit(":", 1)[1] for row in rows]
    assert acts == ["report", "read", "acknowledge", "follow-up", "tell-authority", "close"]
    assert rows[1]["actor_name"] == here.nurse.actor.name


async def test_what_the_facility_found_not_severe_is_closed_without_the_health_department(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        ident = (await report(client, here.own, immunization_id=here.dose))["reaction_id"]
        await staff_does(client, here, ident, "acknowledge")
        closed = await staff_does(
            client, here, ident, "outcome", {"outcome": "recovered", "assessed": "mild"}
        )
        assert closed.json()["state"] == "closed"
    assert not await armed(store, ident)


@pytest.mark.parametrize(
    ("signs", "ending"),
    [
        ([{"code": "vomiting"}], {"outcome": "recovered", "assessed": "severe"}),
        ([{"code": "pain"}], {"outcome": "lasting-harm", "assessed": "mild"}),
        ([{"code": "breathing"}], {"outcome": "died", "assessed": "mild"}),
    ],
)
async def test_what_turns_out_severe_waits_for_the_health_department_however_it_was_reported(
    store: Store,
    clock: FrozenClock,
    here: Setting,
    signs: list[dict[str, str]],
    ending: dict[str, str],
) -> None:
    async with client_of(store, clock) as client:
        ident = (await report(client, here.own, symptoms=signs, immunization_id=here.dose))["reaction_id"]
        await staff_does(client, here, ident, "acknowledge")
        clock.advance(minutes=5)
        untold = await staff_does(client, here, ident, "outcome", ending)
        assert (untold.status_code, untold.json()["code"]) == (409, "reaction-untold")
        (line,) = await listed(client, here)
        assert (line["severity"], line["authority_told"]) == ("severe", False)
        assert line["due_at"] is not None
        assert await armed(store, ident), "the 24 hours run, and what is late the department sees"
        await staff_does(client, here, ident, "authority-told")
        assert (await staff_does(client, here, ident, "outcome", ending)).json()["state"] == "closed"
    assert not await armed(store, ident)


async def test_nobody_else_sees_a_report(store: Store, clock: FrozenClock, here: Setting) -> None:
    async with client_of(store, clock) as client:
        ident = (await report(client, here.own, immunization_id=here.dose))["reaction_id"]
        theirs = await client.get(STAFF_PATH, headers=here.staff(here.stranger))
        assert theirs.json()["items"] == []
        for answer in (
            await client.get(f"{STAFF_PATH}/{ident}", headers=here.staff(here.stranger)),
            await staff_does(client, here, ident, "acknowledge", who=here.stranger),
            await client.get(f"{PATH}/{ident}", headers=bearer((await make_citizen(store, clock)).token)),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "reaction-unknown")
        taken = await client.post(f"{PATH}/{ident}/withdraw", headers=here.own)
        assert taken.json()["state"] == "withdrawn"
        gone = await client.get(f"{STAFF_PATH}/{ident}", headers=here.staff())
        assert gone.json()["code"] == "reaction-unknown"
    assert not await armed(store, ident)


async def test_a_mother_reports_for_her_child_and_hears_of_it_and_the_child_sees_it_too(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    child = await make_child(store, clock, here.person, "2026-08-01")
    dose = await give(store, clock, child, here.facility, "of-child")
    headers = here.own | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        answer = await report(client, headers, immunization_id=dose)
        assert answer["dose"]["immunization_id"] == dose
        wrong = await report(client, here.own, immunization_id=dose)
        assert wrong["dose"] is None, "a dose of another book is no dose of one's own"
        opened = await client.get(f"{STAFF_PATH}/{answer['reaction_id']}", headers=here.staff())
        assert (opened.json()["by_relative"], opened.json()["birth_date"]) == (True, "2026-08-01")
        await staff_does(client, here, answer["reaction_id"], "acknowledge")
        mine = await client.get(PATH, headers=headers)
        assert [one["reaction_id"] for one in mine.json()["items"]] == [answer["reaction_id"]]
    told = await notices(store, clock, here.person.patient_id)
    assert sorted(told) == ["reaction-severe", "reaction-severe", "reaction-update"]


async def test_a_proxy_who_may_add_but_not_read_learns_nothing_of_the_doses(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, here.person, proxy, "add-to-record")
    headers = bearer(proxy.token) | {"X-Patient-Id": str(here.person.patient_id)}
    async with client_of(store, clock) as client:
        own = await report(client, here.own, immunization_id=here.dose)
        answer = await report(client, headers, immunization_id=here.dose)
        quick = await client.post(f"{PATH}/quick", json={"symptoms": BREATHING}, headers=headers)
        assert (answer["dose"], quick.json()["dose"]) == (None, None)
        assert quick.json()["call_115"] is True
        hidden = await client.get(f"{PATH}/{own['reaction_id']}", headers=headers)
        assert hidden.json()["code"] == "reaction-unknown"


async def test_a_sign_that_is_not_on_the_list_and_too_many_reports_are_refused_with_115(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        body = {"symptoms": [{"code": "no-such-sign"}], "said": "mild"}
        unknown = await client.post(PATH, json=body, headers=here.own)
        assert (unknown.status_code, unknown.json()["code"]) == (422, "reaction-symptom-unknown")
        assert "115" in unknown.text
        for _ in range(REACTIONS_DAY.limit):
            await report(client, here.own, symptoms=[{"code": "pain"}], said="mild")
        severe = {"symptoms": BREATHING, "said": "severe"}
        full = await client.post(PATH, json=severe, headers=here.own)
        assert (full.status_code, full.json()["code"]) == (409, "reactions-too-many")
        assert "115" in full.text
        choices = await client.get(f"{PATH}/choices", headers=here.own)
        assert choices.json()["confirmed"] is False
        assert choices.json()["reviewed"] is False
        assert {one["level"] for one in choices.json()["symptoms"]} == {"mild", "moderate", "severe"}


async def test_what_a_report_says_lies_sealed(store: Store, clock: FrozenClock, here: Setting) -> None:
    async with client_of(store, clock) as client:
        await report(client, here.own, immunization_id=here.dose, note="Sốt và mệt từ đêm qua")
    async with store.transaction() as tx:
        row = await tx.fetchrow(
            "SELECT * FROM vaccination_reaction WHERE patient_id = $1", here.person.patient_id
        )
    assert row is not None
    kept = b"|".join(str(value).encode() if not isinstance(value, bytes) else value for value in row)
    for word in ("breathing", "LOT-7", "đêm qua"):
        assert word.encode() not in kept
