"""Declarations over the routes: for whom, for which visit, what is kept, who reads it and how long."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from identity.models import Facility
from identity.units import service as units
from identity.units.models import NewUnit
from kernel.clock import local_day, start_of_day
from kernel.ids import uuid7
from store.database import Store
from store.person_tables import TABLES, delete_some
from tests.support.actors import make_operator
from tests.support.clock import FrozenClock
from tests.support.declaring import FORM, answered, booking, check_in, declare, published, staff
from tests.support.family import make_child, make_proxy
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, Doctor, make_citizen, make_doctor, make_facility
from tests.support.registry import make_officers, merged
from visits.declarations.retention import housekeeping
from visits.safety import service as safety

ME = "/v1/me/declarations"
FORMS = "/v1/admin/declaration-forms"
KEPT = timedelta(days=30)


class Setting:
    """A person who checked in at a facility that has a form."""

    person: Citizen
    facility: Facility
    nurse: Doctor
    admins: list[Doctor]
    came: UUID

    @property
    def own(self) -> dict[str, str]:
        return bearer(self.person.token)

    async def form(self, client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
        return await published(client, staff(self.admins[0]), staff(self.admins[1]), **more)


@pytest.fixture
async def here(store: Store, clock: FrozenClock) -> Setting:
    made = Setting()
    made.facility = await make_facility(store, clock)
    made.person = await make_citizen(store, clock)
    made.nurse = await make_doctor(store, clock, made.facility, role="nurse")
    made.admins = [await make_doctor(store, clock, made.facility, role="facility-admin") for _ in range(2)]
    made.came = await check_in(store, made.person.patient_id, made.facility, clock.now())
    return made


async def acts_of(store: Store, patient_id: UUID) -> list[str]:
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT entry FROM access_log WHERE patient_id = $1 ORDER BY seq", patient_id)
    return [json.loads(row["entry"])["action"] for row in rows]


async def of_visit(client: httpx.AsyncClient, doctor: Doctor, visit_id: UUID) -> list[dict[str, Any]]:
    found = await client.get(f"/v1/facility/visits/{visit_id}/declarations", headers=staff(doctor))
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_what_was_declared_is_read_by_the_facility_and_stands_in_the_log(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        form = await here.form(client)
        assert (form["version"], form["questionnaire"]["status"]) == (1, "active")
        listed = await client.get(
            "/v1/me/declaration-forms",
            params={"facility_id": str(here.facility.facility_id)},
            headers=here.own,
        )
        assert form["form_id"] in {one["form_id"] for one in listed.json()["items"]}
        said = answered(fever=True, degrees=38.5, symptoms=["cough"], note="Từ hôm qua")
        made = await declare(client, here.own, form, check_in_id=here.came, answers=said)
        assert made.status_code == 201, made.text
        assert made.json()["visit_on"] == local_day(clock.now()).isoformat()
        kept = made.json()["answers"]
        assert kept["questionnaire"] == f"{form['questionnaire']['url']}|1"
        assert kept["item"][0]["text"] == "Bạn có sốt không?"
        (read,) = await of_visit(client, here.nurse, here.came)
    assert (read["person_name"], read["answers"]) == (here.person.name, kept)
    assert read["by_relative"] is False
    acts = await acts_of(store, here.person.patient_id)
    assert acts[-2:] == ["visit:declaration:create", "visit:declaration:read"]
    async with store.transaction() as tx:
        rows = await tx.fetch("SELECT t::text AS line FROM declaration t")
    assert not any("Từ hôm qua" in row["line"] or "38.5" in row["line"] for row in rows)


async def test_s19_a_visit_of_nobody_of_others_and_without_any_look_alike(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    stranger = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    bare = await check_in(store, here.person.patient_id, here.facility, clock.now() - timedelta(hours=1))
    async with client_of(store, clock) as client:
        assert (
            await declare(client, here.own, await here.form(client), check_in_id=here.came)
        ).status_code == 201
        before = await acts_of(store, here.person.patient_id)
        answers = []
        for who, visit in ((stranger, here.came), (here.nurse, bare), (here.nurse, uuid7(clock.now()))):
            answers.append(await client.get(f"/v1/facility/visits/{visit}/declarations", headers=staff(who)))
    assert {answer.content for answer in answers} == {b'{"items":[],"next":null}'}
    assert await acts_of(store, here.person.patient_id) == before


@pytest.mark.parametrize("kind", ["booking", "check-in"])
async def test_what_was_declared_for_a_visit_that_was_taken_back_is_closed_to_the_facility(
    store: Store, clock: FrozenClock, here: Setting, kind: str
) -> None:
    person, now = here.person.patient_id, clock.now()
    booked = await booking(store, person, here.facility, now + timedelta(days=2))
    async with client_of(store, clock) as client:
        form = await here.form(client)
        visit = booked if kind == "booking" else here.came
        member = {"booking_id": visit} if kind == "booking" else {"check_in_id": visit}
        assert (await declare(client, here.own, form, **member)).status_code == 201
        assert len(await of_visit(client, here.nurse, visit)) == 1
        before = await acts_of(store, person)
        async with store.transaction() as tx:
            if kind == "booking":
                sql = "UPDATE appointment SET state = 'cancelled' WHERE appointment_id = $1"
                await tx.execute(sql, visit)
            else:
                await tx.execute("UPDATE check_in SET withdrawn_at = $2 WHERE check_in_id = $1", visit, now)
        assert await of_visit(client, here.nurse, visit) == []
        assert await acts_of(store, person) == before
        assert len((await client.get(ME, headers=here.own)).json()["items"]) == 1, "the person's own stays"


REFUSED_ANSWERS = {
    "missing": ({"item": []}, "fever"),
    "beyond its limit": (answered(fever=True, degrees=60.0), "degrees"),
    "not asked": (answered(degrees=38.0), "degrees"),
    "no question of the form": (
        {"item": [{"linkId": "079185000123", "answer": [{"valueInteger": 1}]}]},
        "answers",
    ),
}


@pytest.mark.parametrize("case", REFUSED_ANSWERS)
async def test_answers_are_checked_item_by_item_and_named_by_the_forms_own_link_id(
    store: Store, clock: FrozenClock, here: Setting, case: str
) -> None:
    said, where = REFUSED_ANSWERS[case]
    body = {"resourceType": "QuestionnaireResponse", "status": "completed"} | said
    async with client_of(store, clock) as client:
        form = await here.form(client)
        refused = await declare(client, here.own, form, check_in_id=here.came, answers=body)
        assert code_of(refused) == (422, "declaration-answers-invalid")
        assert refused.json()["errors"][0]["where"] == where
        assert await of_visit(client, here.nurse, here.came) == []


def _in_display() -> dict[str, Any]:
    said = answered(symptoms=["cough"])
    said["item"][1]["item"][0]["answer"][0]["valueCoding"]["display"] = "Đang điều trị HIV"
    return said


def _in_text() -> dict[str, Any]:
    said = answered()
    said["item"][0]["text"] = "nhiễm HIV?"
    return said


def _in_two() -> dict[str, Any]:
    said = answered(note="AIDS giai đoạn cuối")
    said["item"][1]["text"] = "H I V và"
    return said


SENSITIVE = {
    "in a free text": (answered(note="Tôi đang uống ARV, nhiễm HIV"), "note"),
    "in a coding's display": (_in_display(), "symptoms"),
    "in a question's text": (_in_text(), "fever"),
    "in two texts": (_in_two(), None),
}


@pytest.mark.parametrize("case", SENSITIVE)
async def test_the_gate_hears_every_text_and_nothing_is_kept(
    store: Store, clock: FrozenClock, here: Setting, case: str
) -> None:
    said, where = SENSITIVE[case]
    async with client_of(store, clock) as client:
        form = await here.form(client)
        refused = await declare(client, here.own, form, check_in_id=here.came, answers=said)
        assert code_of(refused) == (422, "declaration-answers-withheld")
        if where is not None:
            assert refused.json()["errors"][0]["where"] == where
        assert await of_visit(client, here.nurse, here.came) == []
        listed = await client.get(ME, headers=here.own)
        assert listed.json() == {"items": [], "next": None}


async def test_s26_a_form_comes_out_by_two_accounts_and_asks_nothing_forbidden(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    first, second = map(staff, here.admins)
    stranger = await make_doctor(store, clock, await make_facility(store, clock), role="facility-admin")
    body = {"code": "truoc-kham", "reason": "Mẫu của cơ sở", "questionnaire": FORM}
    async with client_of(store, clock) as client:
        form = (await client.post(FORMS, json=body, headers=first)).json()
        assert (form["version"], form["state"]) == (None, "proposed")
        path = f"{FORMS}/{form['form_id']}"
        assert code_of(await client.post(f"{path}/publish", headers=first)) == (
            409,
            "declaration-form-state",
        )
        for ask in (
            client.get(path, headers=staff(stranger)),
            client.post(f"{path}/publish", headers=staff(stranger)),
        ):
            assert code_of(await ask) == (404, "declaration-form-unknown")
        unseen = await client.get(f"/v1/me/declaration-forms/{form['form_id']}", headers=here.own)
        assert code_of(unseen) == (404, "declaration-form-unknown")
        refused = await declare(client, here.own, form, check_in_id=here.came)
        assert code_of(refused) == (404, "declaration-form-unknown"), "not before it is out"
        assert (await client.post(f"{path}/publish", headers=second)).status_code == 200
        assert code_of(await client.post(f"{path}/publish", headers=second)) == (
            409,
            "declaration-form-state",
        )
        hiv = json.loads(json.dumps(FORM))
        hiv["item"][1]["text"] = "Bạn có nhiễm HIV không?"
        asks = await client.post(FORMS, json=body | {"questionnaire": hiv}, headers=first)
        assert code_of(asks) == (422, "declaration-form-withheld")
        ours = await client.post(FORMS, json=body | {"questionnaire": FORM | {"version": "7"}}, headers=first)
        assert code_of(ours) == (422, "declaration-form-invalid")
        assert ours.json()["errors"][0]["where"] == "version"


async def test_a_new_version_ends_the_one_before_and_old_answers_keep_their_questions(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        old = await here.form(client)
        assert (await declare(client, here.own, old, check_in_id=here.came)).status_code == 201
        changed = json.loads(json.dumps(FORM).replace("Điều cần", "Lời cần"))
        new = await here.form(client, questionnaire=changed)
        assert (new["version"], new["questionnaire"]["version"]) == (2, "2")
        later = await check_in(store, here.person.patient_id, here.facility, clock.now())
        refused = await declare(client, here.own, old, check_in_id=later)
        assert code_of(refused) == (409, "declaration-form-outdated")
        assert (await declare(client, here.own, new, check_in_id=later)).status_code == 201
        (read,) = await of_visit(client, here.nurse, here.came)
        assert (read["form_version"], read["form_id"]) == (1, old["form_id"])
        shown = await client.get(f"/v1/me/declaration-forms/{old['form_id']}", headers=here.own)
        assert shown.json()["questionnaire"]["status"] == "retired"
        ended = await client.post(
            f"{FORMS}/{new['form_id']}/end", json={"reason": "Không dùng nữa"}, headers=staff(here.admins[0])
        )
        assert ended.json()["state"] == "ended"


async def test_a_form_of_all_facilities_is_two_operators_and_that_of_one_stays_there(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    elsewhere = await make_facility(store, clock)
    there = await check_in(store, here.person.patient_id, elsewhere, clock.now())
    operators = [bearer(await make_operator(store, clock)) for _ in range(2)]
    async with client_of(store, clock) as client:
        everywhere = await published(client, operators[0], operators[1], code="to-khai-chung")
        assert everywhere["facility_id"] is None
        local = await here.form(client)
        refused = await declare(client, here.own, local, check_in_id=there)
        assert code_of(refused) == (404, "declaration-form-unknown")
        for visit in (here.came, there):
            assert (await declare(client, here.own, everywhere, check_in_id=visit)).status_code == 201
        path = f"{FORMS}/{everywhere['form_id']}/end"
        mine = await client.post(path, json={"reason": "Không dùng nữa"}, headers=staff(here.admins[0]))
        assert code_of(mine) == (404, "declaration-form-unknown")


async def test_one_visit_of_ones_own_that_is_not_over(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    other = await make_citizen(store, clock)
    now = clock.now()
    theirs = await check_in(store, other.patient_id, here.facility, now)
    old = await check_in(store, here.person.patient_id, here.facility, now - timedelta(hours=24))
    gone = await booking(
        store, here.person.patient_id, here.facility, now + timedelta(days=3), state="cancelled"
    )
    past = await booking(store, here.person.patient_id, here.facility, now - timedelta(hours=1))
    comes = await booking(store, here.person.patient_id, here.facility, now + timedelta(days=3))
    unknown, over = (404, "declaration-visit-unknown"), (409, "declaration-visit-over")
    async with client_of(store, clock) as client:
        form = await here.form(client)
        for named, told in (
            ({}, (422, "declaration-one-visit")),
            ({"check_in_id": here.came, "booking_id": comes}, (422, "declaration-one-visit")),
            ({"check_in_id": theirs}, unknown),
            ({"check_in_id": uuid7(now)}, unknown),
            ({"check_in_id": comes}, unknown),
            ({"check_in_id": old}, over),
            ({"booking_id": gone}, over),
            ({"booking_id": past}, over),
        ):
            assert code_of(await declare(client, here.own, form, **named)) == told, named
        made = await declare(client, here.own, form, booking_id=comes)
        assert made.status_code == 201, made.text
        again = await declare(client, here.own, form, booking_id=comes)
        assert code_of(again) == (409, "declaration-exists")
        path = f"{ME}/{made.json()['declaration_id']}"
        assert (await client.post(f"{path}/withdraw", headers=here.own)).status_code == 204
        assert code_of(await client.get(path, headers=here.own)) == (404, "declaration-unknown")
        assert await of_visit(client, here.nurse, comes) == []
        assert (await declare(client, here.own, form, booking_id=comes)).status_code == 201


async def test_a_repeat_with_one_key_is_one_declaration(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    async with client_of(store, clock) as client:
        form = await here.form(client)
        keyed = here.own | {"Idempotency-Key": "d" * 20}
        made = [await declare(client, keyed, form, check_in_id=here.came) for _ in range(2)]
        assert [one.status_code for one in made] == [201, 201]
        assert made[0].json() == made[1].json()
        assert len(await of_visit(client, here.nurse, here.came)) == 1


async def test_a_guardian_declares_for_a_child_and_reads_what_the_own_hand_wrote(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    child = await make_child(store, clock, here.person)
    came = await check_in(store, child, here.facility, clock.now())
    for_child = here.own | {"X-Patient-Id": str(child)}
    async with client_of(store, clock) as client:
        form = await here.form(client)
        made = await declare(client, for_child, form, check_in_id=came)
        assert made.status_code == 201, made.text
        assert made.json()["answers"] is not None
        (read,) = await of_visit(client, here.nurse, came)
        assert read["by_relative"] is True
    assert await acts_of(store, child) == ["visit:declaration:create", "visit:declaration:read"]


async def test_a_proxy_sees_that_it_was_declared_and_not_what(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, here.person, proxy, "appointments")
    theirs = bearer(proxy.token) | {"X-Patient-Id": str(here.person.patient_id)}
    async with client_of(store, clock) as client:
        form = await here.form(client)
        made = (await declare(client, here.own, form, check_in_id=here.came)).json()
        path = f"{ME}/{made['declaration_id']}"
        seen = (await client.get(path, headers=theirs)).json()
        assert seen["answers"] is None
        assert code_of(await client.post(f"{path}/withdraw", headers=theirs)) == (404, "declaration-unknown")


async def hidden_visits(store: Store, clock: FrozenClock, here: Setting, person: UUID) -> dict[str, UUID]:
    """A visit that was flagged, and one at a sensitive unit."""
    now = clock.now()
    async with store.transaction() as tx:
        unit_id = await units.add_unit(
            tx,
            NewUnit(facility_id=here.facility.facility_id, kind="department", name="Phòng khám OPC"),
            now,
        )
        # One that is none, or the facility would be sensitive as a whole.
        ward = NewUnit(facility_id=here.facility.facility_id, kind="department", name="Khoa Nội")
        await units.add_unit(tx, ward, now)
        discreet = await units.add_unit(
            tx,
            NewUnit(
                facility_id=here.facility.facility_id, kind="department", name="Phòng 12", is_sensitive=True
            ),
            now,
        )
    flagged = await check_in(store, person, here.facility, now)
    named = await check_in(store, person, here.facility, now, unit_id=unit_id)
    marked = await booking(store, person, here.facility, now + timedelta(days=2), unit_id=discreet)
    async with store.transaction() as tx:
        await safety.flag(tx, person, "check-in", flagged, "suspected-abuse", now)
        # What a check-in at such a unit does of itself (visits/safety).
        await safety.flag(tx, person, "check-in", named, "sensitive-department", now)
        await safety.flag(tx, person, "booking", marked, "sensitive-department", now)
    return {"flagged": flagged, "named": named, "marked": marked}


async def test_s23_the_family_neither_declares_for_a_hidden_visit_nor_sees_that_somebody_did(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    proxy = await make_citizen(store, clock)
    await make_proxy(store, clock, here.person, proxy, "appointments")
    theirs = bearer(proxy.token) | {"X-Patient-Id": str(here.person.patient_id)}
    hidden = await hidden_visits(store, clock, here, here.person.patient_id)
    async with client_of(store, clock) as client:
        form = await here.form(client)
        empty = (await client.get(ME, headers=theirs)).content
        # Of a facility that is nothing else the family does not even learn that its form is another.
        hospital = await make_facility(store, clock, name="Bệnh viện Tâm thần")
        elsewhere = await check_in(store, here.person.patient_id, hospital, clock.now())
        for who, code in ((theirs, "declaration-visit-unknown"), (here.own, "declaration-form-unknown")):
            answer = await declare(client, who, form, check_in_id=elsewhere)
            assert code_of(answer) == (404, code)
        for name, visit in hidden.items():
            kind = "booking_id" if name == "marked" else "check_in_id"
            assert code_of(await declare(client, theirs, form, **{kind: visit})) == (
                404,
                "declaration-visit-unknown",
            )
            made = await declare(client, here.own, form, **{kind: visit})
            assert made.status_code == 201, made.text
            path = f"{ME}/{made.json()['declaration_id']}"
            assert code_of(await client.get(path, headers=theirs)) == (404, "declaration-unknown")
        assert (await client.get(ME, headers=theirs)).content == empty
        seen = await declare(client, here.own, form, check_in_id=here.came)
        assert seen.status_code == 201
        for size in (1, 2, 50):
            page = await client.get(ME, params={"limit": size}, headers=theirs)
            assert [one["declaration_id"] for one in page.json()["items"]] == [seen.json()["declaration_id"]]
            assert page.json()["next"] is None, "no page says that there is more"
        assert len((await client.get(ME, headers=here.own)).json()["items"]) == 4
        # Flagged only afterwards, and with the visit itself gone: neither shows anything again.
        async with store.transaction() as tx:
            await safety.flag(tx, here.person.patient_id, "check-in", here.came, "own-wish", clock.now())
        assert (await client.get(ME, headers=theirs)).content == empty
        async with store.transaction() as tx:
            await safety.forget(tx, here.person.patient_id, [here.came, *hidden.values()])
            await tx.execute("UPDATE declaration SET visit_id = gen_random_uuid()")
        assert (await client.get(ME, headers=theirs)).content == empty


async def test_a_declaration_is_kept_from_the_day_of_its_visit(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    """One that is sent 60 days ahead is there on that day."""
    far = clock.now() + timedelta(days=60)
    comes = await booking(store, here.person.patient_id, here.facility, far)
    async with client_of(store, clock) as client:
        form = await here.form(client)
        assert (await declare(client, here.own, form, booking_id=comes)).status_code == 201
        assert (await declare(client, here.own, form, check_in_id=here.came)).status_code == 201

        async def kept(at: Any) -> list[int]:
            async with store.transaction() as tx:
                await housekeeping(tx, at - KEPT, 100)
                return [
                    await tx.fetchval(
                        f"SELECT count(*) FROM {table} WHERE patient_id = $1", here.person.patient_id
                    )
                    for table in ("declaration", "facility_declaration")
                ]

        first = start_of_day(local_day(clock.now())) + KEPT
        assert await kept(first - timedelta(seconds=1)) == [2, 2]
        assert await kept(first) == [1, 1]
        last = start_of_day(local_day(far)) + KEPT
        assert await kept(last - timedelta(seconds=1)) == [1, 1]
        assert await kept(last) == [0, 0]


async def test_s10_declarations_follow_a_merge_and_its_name(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    survivor, officers = await make_citizen(store, clock), await make_officers(store, clock)
    async with client_of(store, clock) as client:
        form = await here.form(client)
        made = (await declare(client, here.own, form, check_in_id=here.came)).json()
        await merged(store, officers, here.person.patient_id, survivor.patient_id, clock.now())
        path, theirs = f"{ME}/{made['declaration_id']}", bearer(survivor.token)
        assert (await client.get(path, headers=theirs)).status_code in (403, 404), "not before it is proven"
        async with store.transaction() as tx:
            await tx.execute("UPDATE person_origin SET proven_at = visible_at, visible_at = $1", clock.now())
            await tx.execute("DELETE FROM person_hold")
        (read,) = await of_visit(client, here.nurse, here.came)
        assert read["person_name"] == survivor.name
    assert "visit:declaration:read" in await acts_of(store, survivor.patient_id)


async def test_an_erasure_leaves_nothing_at_either_end(
    store: Store, clock: FrozenClock, here: Setting
) -> None:
    guardian = await make_citizen(store, clock)
    child = await make_child(store, clock, guardian)
    came = await check_in(store, child, here.facility, clock.now())
    async with client_of(store, clock) as client:
        form = await here.form(client)
        assert (await declare(client, here.own, form, check_in_id=here.came)).status_code == 201
        for_child = bearer(guardian.token) | {"X-Patient-Id": str(child)}
        assert (await declare(client, for_child, form, check_in_id=came)).status_code == 201
    tables = [one for one in TABLES if "declaration" in one.table]
    async with store.transaction() as tx:
        for one in tables:
            await delete_some(tx, one, here.person.patient_id)
            await delete_some(tx, one, guardian.patient_id)
        left = await tx.fetch("SELECT patient_id, declared_by FROM declaration")
        assert [(row["patient_id"], row["declared_by"]) for row in left if row["patient_id"] == child] == [
            (child, None)
        ]
        assert here.person.patient_id not in {row["patient_id"] for row in left}
