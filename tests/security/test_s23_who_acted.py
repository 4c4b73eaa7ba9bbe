"""Each act on behalf of another leaves a row in that person's log that names who acted (consent.md §6).

The walk does the acts that a guardian of a child may do; a new acting route is either done here or stands in
LEFT with what it needs, and no row in the child's log is without a name.
"""

import base64
import io
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from family.attesting import Pair
from identity.people import own_identifiers
from store.database import Store
from tests.consent.test_family import answer_for, doctor_of
from tests.security.test_family_routes import TABLE
from tests.support.actors import routes
from tests.support.batches import batch, series
from tests.support.booking import make_clinic, make_schedule
from tests.support.clock import FrozenClock
from tests.support.consent import asked
from tests.support.counters import drawn, make_counter
from tests.support.family import attest, make_child
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_person
from tests.support.shared import ROOT
from tests.test_routes import BODIES
from visits.identification import draw_code

NAME = "Trần Thị Người Làm Thay"
ACTING = {
    route.operation_id
    for route in routes()
    if route.method != "GET" and route.path in TABLE["guardian of a child of 8"]
}


class Acting:
    """A mother who acts for a child of 8, and what the child's log says since."""

    def __init__(
        self,
        stores: tuple[Store, Store],
        clock: FrozenClock,
        client: httpx.AsyncClient,
        who: Citizen,
        child: UUID,
    ) -> None:
        self.store, self.owner = stores
        self.clock, self.client, self.mother, self.child = clock, client, who, child
        self.done: dict[str, int] = {}

    async def rows(self) -> int:
        sql = "SELECT count(*) FROM access_log WHERE patient_id = $1"
        async with self.owner.transaction() as tx:
            found: int = await tx.fetchval(sql, self.child)
        return found

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.mother.token) | {"X-Patient-Id": str(self.child)}

    async def do(
        self, operation: str, method: str, path: str, json: Any = None, **options: Any
    ) -> dict[str, Any]:
        """One act as the mother; it succeeds, and the log has grown by rows that name her."""
        before = await self.rows()
        body = BODIES.get(operation) if json is None else json
        if body is not None:
            options["json"] = body
        answer = await self.client.request(method, "/v1/me/" + path, headers=self.headers, **options)
        assert answer.status_code < 300, (operation, answer.status_code, answer.text)
        self.done[operation] = await self.rows() - before
        found: dict[str, Any] = answer.json() if answer.content and answer.status_code != 204 else {}
        return found


@pytest.fixture
async def acting(store: Store, owner: Store, clock: FrozenClock) -> AsyncIterator[Acting]:
    mother = await make_citizen(store, clock, name=NAME)
    child = await make_child(store, clock, mother, "2018-01-01")
    async with client_of(store, clock) as client:
        yield Acting((store, owner), clock, client, mother, child)


async def statements(one: Acting) -> None:
    made = await one.do("make_statement", "POST", "statements", {"kind": "allergy", "name": "Tôm"})
    ident = made["id"] if "id" in made else made["statement_id"]
    await one.do("amend_statement", "PUT", f"statements/{ident}", {"kind": "allergy", "name": "Cua"})
    await one.do("withdraw_statement", "POST", f"statements/{ident}/withdraw")


async def reminders(one: Acting) -> None:
    made = await one.do("make_own_reminder", "POST", "reminders/custom")
    ident = made["reminder_id"]
    changed = {"text": "Đo", "times": ["10:00"]}
    await one.do("change_own_reminder", "PUT", f"reminders/custom/{ident}", changed)
    await one.do("set_reminder_times", "PUT", f"reminders/{ident}/times")
    await one.do("act_on_reminder", "POST", f"reminders/{ident}/acts")
    await one.do("delete_own_reminder", "DELETE", f"reminders/custom/{ident}")
    await one.do("answer_reminders", "POST", "reminders/answers")
    await one.do("switch_reminder_kind", "PUT", "reminders/kinds/measurement")
    await one.do("set_reminder_settings", "PUT", "reminders/settings")
    await one.do("choose_nutrition", "PUT", "nutrition/weekly")


async def appointments(one: Acting) -> None:
    clinic = await make_clinic(one.store, one.clock)
    plan = await make_schedule(one.client, one.clock, clinic, 2)
    slot = {"facility_id": plan["facility_id"], "schedule_id": plan["schedule_id"]}
    body = slot | {"slot_id": plan["slots"][0]["slot_id"]}
    ident = (await one.do("hold_appointment", "POST", "appointments", body))["appointment_id"]
    await one.do("confirm_appointment", "POST", f"appointments/{ident}/confirm")
    await one.do("cancel_appointment", "POST", f"appointments/{ident}/cancel")


async def reactions(one: Acting) -> None:
    made = await one.do("me_report_reaction_quickly", "POST", "vaccination/reactions/quick")
    ident = made["reaction_id"]
    await one.do("me_add_to_reaction", "POST", f"vaccination/reactions/{ident}/symptoms")
    await one.do("me_withdraw_reaction", "POST", f"vaccination/reactions/{ident}/withdraw")
    await one.do("me_report_reaction", "POST", "vaccination/reactions")


async def requests(one: Acting) -> None:
    doctor = await doctor_of(one.store, one.clock)
    before = await one.rows()
    await answer_for(one.store, one.clock, doctor, one.mother, one.child)
    one.done["me_approve_request"] = await one.rows() - before
    grants = (await one.client.get("/v1/me/grants", headers=one.headers)).json()["items"]
    await one.do("me_revoke_grant", "DELETE", f"grants/{grants[0]['grant_id']}")
    for operation, act in (("me_refuse_request", "refuse"), ("me_report_request", "not-me")):
        opened = await scanned(one)
        await one.do(operation, "POST", f"access-requests/{opened}/{act}")


async def scanned(one: Acting) -> str:
    """A request by the child's own code, which waits."""
    doctor = await make_doctor(one.store, one.clock, await make_facility(one.store, one.clock))
    code = draw_code(one.store.keys, one.child, one.clock.now())
    opened = await asked(one.store, one.clock, doctor, kind="citizen-qr", value=code.qr)
    return str(opened.request_id)


async def papers(one: Acting) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 30)).save(sink, "JPEG")
    paper = {"kind": "vaccination-paper", "content": base64.b64encode(sink.getvalue()).decode()}
    ident = (await one.do("me_add_document", "POST", "documents", paper))["item_id"]
    dose = {"given": "2020-03-01", "vaccine": "Sởi đơn", "dose_number": 1, "paper_id": ident}
    await one.do("declare_dose", "POST", "vaccination/doses", dose)
    kept = (await one.do("me_add_document", "POST", "documents", paper | {"kind": "paper-book"}))["item_id"]
    await one.do("me_amend_document", "PUT", f"documents/{kept}")
    await one.do("me_delete_document", "DELETE", f"documents/{kept}")


async def questions(one: Acting) -> None:
    facility = await make_facility(one.store, one.clock)
    body = {"facility_id": str(facility.facility_id), "text": "Con tôi ho hai tuần nay."}
    ident = (await one.do("me_ask", "POST", "consultations", body))["consultation_id"]
    await one.do("me_withdraw_question", "POST", f"consultations/{ident}/withdraw")


async def counters(one: Acting) -> None:
    facility = await make_facility(one.store, one.clock)
    counter = await make_counter(one.store, one.clock, facility)
    qr = await drawn(one.store, facility, counter, one.clock.now())
    body = {"qr": qr, "client_id": str(uuid4())}
    ident = (await one.do("me_check_in", "POST", "check-ins", body))["check_in_id"]
    await one.do("me_leave", "POST", f"check-ins/{ident}/leave")


async def measurements(one: Acting) -> None:
    await one.do("me_send_vitals", "POST", "vitals/batches", batch(series()))
    slow = {"kind": "heart-rate", "direction": "low", "unit": "/min", "warn": 48}
    await one.do("me_set_vital_source_priority", "PUT", "vitals/sources/1/priority")
    await one.do("me_revoke_vital_device", "DELETE", "vitals/devices/phone-1")
    await one.do("set_alert_rules", "PUT", "alert-rules", {"rules": [slow], "version": 0})


async def guardians(one: Acting) -> None:
    other, number = await make_person(one.store, one.clock, name="Trần Văn Khác", sex="male")
    async with one.store.transaction() as tx:
        child = next(
            row.value
            for row in await own_identifiers(tx, one.store.keys, one.child)
            if row.kind == "national-id"
        )
    pair = Pair(child_number=child, guardian_number=number, papers_seen=True)
    assert await attest(one.store, one.clock, pair) is None
    await one.do("me_object_to_guardian", "DELETE", f"guardians/{other}")


async def certificates(one: Acting) -> None:
    name = {"family_name": "TRAN", "given_name": "BE THU"}
    await one.do("set_own_latin_name", "PUT", "certificates/latin-name", name)


# What this walk leaves out: refused to a guardian, though another method of the path is not; nothing that is
# done to the book; or a story of its own, in whose module the row is written.
LEFT: dict[str, str] = {
    "me_narrow_grant": "refused: a guardian ends a grant and asks anew",
    "me_check_out": "refused: own-presence",
    "me_scan_request": "opens a request to read it; the answer is the act",
    "me_open_viewer": "the row is written where the ticket is followed (api/reading.py)",
    "acknowledge_reminder_plan": "what a phone of the relative holds",
    "dismiss_own_finding": "api/citizen/medicine_safety.py",
    "acknowledge_alert": "api/citizen/alerts.py",
    "end_alert_rule": "api/citizen/alert_rules.py",
    "choose_screening": "api/citizen/reminders.py",
    "me_import_vitals": "vitals/files/service.py",
    "me_withdraw_vital_import": "vitals/files/service.py",
    "make_health_card": "api/citizen/health_cards.py",
    "issue_own_certificate": "api/citizen/certificates.py",
    "book_by_letter": "visits/booking/service.py",
    "me_close_question": "visits/consultations/moving.py",
    "me_share_with_answerer": "visits/consultations/moving.py",
    "me_add_consultation_picture": "visits/consultations/moving.py",
    "register_for_vaccination": "vaccination/registration/service.py",
    "cancel_vaccination_registration": "vaccination/registration/service.py",
    "me_declare": "visits/declarations/service.py",
    "me_withdraw_declaration": "visits/declarations/service.py",
}
WRITES = re.compile(r"await (record_act|log_read|record_read|noted)\(")
STORIES = (
    statements,
    reminders,
    appointments,
    reactions,
    requests,
    papers,
    questions,
    counters,
    measurements,
    guardians,
    certificates,
)


async def test_each_act_for_a_child_names_who_acted_in_the_child_s_log(owner: Store, acting: Acting) -> None:
    for story in STORIES:
        await story(acting)
    assert {name: count for name, count in acting.done.items() if count < 1} == {}
    sql = (
        "SELECT entry::json->>'action' AS action, actor_name FROM access_log WHERE patient_id = $1"
        " AND actor_kind = 'citizen' AND entry::json->'actor'->>'id' <> $1::text"
    )
    async with owner.transaction() as tx:
        rows = await tx.fetch(sql, acting.child)
    assert {row["actor_name"] for row in rows} == {NAME}
    assert sorted(ACTING - set(acting.done)) == sorted(LEFT)


def test_what_the_walk_leaves_out_writes_its_row_where_it_says() -> None:
    for operation, where in LEFT.items():
        if where.endswith(".py"):
            assert WRITES.search((ROOT / where).read_text(encoding="utf-8")), operation
