"""Every route × every actor: docs/roles.md, the handlers and the answers say the same (architecture.md)."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.request import PUBLIC
from store.database import Store
from tests.support.actors import SOME_ID, WORDS, Route, routes, sign_everybody_in
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of, code_of

ROLES_TABLE = Path(__file__).resolve().parents[1] / "docs" / "roles.md"
ROUTES = routes(demo=True)
CLOSED = [route for route in ROUTES if PUBLIC not in route.actors]
ENDS_ITS_SESSION = "sign_out"
every_closed_route = pytest.mark.parametrize("route", CLOSED, ids=lambda r: f"{r.method} {r.path}")


@pytest.fixture(scope="module")
async def tokens(store: Store) -> dict[str, str]:
    return await sign_everybody_in(store, FrozenClock())


def table() -> dict[tuple[str, str], set[str]]:
    """docs/roles.md: | method | path | actors |."""
    rows = re.findall(r"^\|\s*`?([A-Z]+)`?\s*\|\s*`([^`]+)`\s*\|([^|]+)\|", ROLES_TABLE.read_text(), re.M)
    return {(method, path): set(re.findall(r"[a-z][a-z-]+", actors)) for method, path, actors in rows}


def test_the_table_of_roles_lists_every_route_with_its_actors() -> None:
    declared = {(route.method, route.path): set(route.actors) for route in ROUTES}
    assert table() == declared


def test_an_apps_token_opens_nothing_but_fhir() -> None:
    """With the test below of all routes × all actors: none of them lets an app in that is not named here."""
    opened = {route.path for route in ROUTES if "app" in route.actors}
    assert len(opened) == 3
    assert all(path.startswith("/fhir/{resource_type}") for path in opened)


# What a query must say to be read at all, where not any word will do; by the route's operation.
QUERIES = {
    "send_health_check_session": {"kind": "school", "form": "831-d"},
    "send_programme_report": {"frequency": "monthly", "reported_on": "2026-01-31"},
}


async def ask(client: httpx.AsyncClient, route: Route, headers: dict[str, str]) -> httpx.Response:
    """A request that a stranger may not make and that an entitled actor gets past the door with."""
    query = QUERIES.get(route.operation_id, dict.fromkeys(route.query, "abc"))
    options: dict[str, Any] = {"params": query, "headers": headers}
    if route.method in ("POST", "PUT", "PATCH"):
        options |= {"content": b"{}", "headers": headers | {"content-type": "application/json"}}
    return await client.request(route.method, route.filled, **options)


@every_closed_route
async def test_nobody_comes_in_without_a_token(store: Store, clock: FrozenClock, route: Route) -> None:
    async with client_of(store, clock, demo=True) as client:
        for headers in (
            {},
            bearer("A" * 64),
            bearer("x"),
            {"Authorization": "Basic eDp5"},
            bearer("A" * 5000),
        ):
            response = await ask(client, route, headers)
            assert response.status_code == 401
            assert code_of(response) == "not-signed-in"
            assert response.headers["www-authenticate"].startswith("Bearer")


@every_closed_route
async def test_only_the_named_actors_get_past_the_door(
    store: Store, clock: FrozenClock, tokens: dict[str, str], route: Route
) -> None:
    async with client_of(store, clock, demo=True) as client:
        for word in WORDS:
            if word in route.actors and route.operation_id == ENDS_ITS_SESSION:
                continue
            response = await ask(client, route, bearer(tokens[word]))
            code = code_of(response)
            if word in route.actors:
                assert response.status_code != 401, word
                assert response.status_code < 500, word
                assert code != "role-not-allowed", word
            else:
                assert (response.status_code, code) == (403, "role-not-allowed"), word


async def test_signing_out_is_open_to_everybody_who_signs_in_and_ends_the_session(
    store: Store, clock: FrozenClock
) -> None:
    """Clients do not sign in: they give their tokens back at /oauth/revoke."""
    own = await sign_everybody_in(store, clock)
    (sign_out,) = [route for route in ROUTES if route.operation_id == ENDS_ITS_SESSION]
    assert set(WORDS) - set(sign_out.actors) == {"partner", "app"}
    async with client_of(store, clock) as client:
        for word in sign_out.actors:
            assert (await client.post("/v1/auth/sign-out", headers=bearer(own[word]))).status_code == 204, (
                word
            )
            assert (await client.post("/v1/auth/sign-out", headers=bearer(own[word]))).status_code == 401, (
                word
            )


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if PUBLIC in r.actors], ids=lambda r: f"{r.method} {r.path}"
)
async def test_a_public_route_asks_for_no_sign_in(store: Store, clock: FrozenClock, route: Route) -> None:
    async with client_of(store, clock, demo=True) as client:
        response = await ask(client, route, {})
    assert response.status_code < 500
    assert response.status_code != 401 or code_of(response) != "not-signed-in"


async def test_s4_without_a_demo_database_no_demo_route_exists(store: Store, clock: FrozenClock) -> None:
    assert not [route for route in routes(demo=False) if route.path.startswith("/demo")]
    async with client_of(store, clock, demo=False) as client:
        for path in ("/demo/inbox", "/demo/inbox.json"):
            assert (await client.get(path)).status_code == 404


SIGNED = {"nonce": "n" * 22, "iat": 0, "exp": 1, "signature": "s"}
# A body that each writing route of one's own book takes.
BODIES: dict[str, Any] = {
    "trust_device": {"signed": SIGNED},
    "change_pin": {"pin": "284193", "signed": SIGNED},
    "start_phone_change": {"phone": "0908 123 123", "signed": SIGNED},
    "confirm_phone_change": {"challenge_id": "x", "code": "ABCDEF"},
    "issue_own_certificate": {"immunization_id": "0"},
    "set_own_latin_name": {"family_name": "TRAN", "given_name": "THI THU"},
    "me_scan_request": {"qr": "HB1.abc"},
    "me_approve_request": {
        "tier": "B",
        "secret": "123456",
        "types": ["Condition"],
        "since": None,
        "until": None,
        "duration_seconds": 3600,
        "signed": SIGNED,
    },
    "me_confirm_grant": {"signed": SIGNED},
    "me_narrow_grant": {"types": ["Condition"]},
    "me_renew_grant": {
        "types": ["Condition"],
        "since": None,
        "until": None,
        "duration_seconds": 3600,
        "signed": SIGNED,
    },
    "me_revoke_grants": {"by": "all"},
    "me_confirm_connected_app": {"signed": SIGNED},
    "me_block": {"kind": "practitioner", "grant_id": SOME_ID},
    "report_access": {"seq": 1, "reason": "not-my-carer"},
    "dismiss_own_finding": {"reason": "other"},
    "act_on_reminder": {"act": "pause"},
    "set_reminder_times": {"times": ["07:00"], "days": None},
    "switch_reminder_kind": {"is_on": False},
    "choose_screening": {"is_on": True, "done_on": None},
    "choose_nutrition": {"is_on": True, "weekday": 6, "at": "09:00"},
    "set_reminder_settings": {
        "breakfast": "06:00",
        "lunch": "11:30",
        "afternoon": "16:30",
        "dinner": "18:30",
        "bedtime": "21:00",
    },
    "acknowledge_alert": {"snooze_s": 1800},
    "set_alert_rules": {"rules": [], "version": 0},
    "set_patient_alert_rules": {"rules": [], "version": 0},
    "answer_reminders": {
        "sent_at": "2026-11-22T00:10:00Z",
        "items": [
            {
                "reminder_id": "0189d6a4-0000-7000-8000-000000000000",
                "due_at": "2026-11-22T00:00:00Z",
                "act": "taken",
                "at": "2026-11-22T00:05:00Z",
            }
        ],
    },
    "acknowledge_reminder_plan": {"version": "0" * 64, "covers_until": "2026-12-01T00:00:00Z"},
    "make_own_reminder": {"text": "Uống nước", "times": ["09:00"]},
    "change_own_reminder": {"text": "Uống nước", "times": ["09:00"]},
    "ask_about_own_data": {"kind": "access"},
    "ask_erasure": SIGNED,
    "close_account": SIGNED,
    "me_set_emergency_card": {"parts": ["allergies"], "signed": SIGNED},
    "me_renew_emergency_card": {"signed": SIGNED},
    "me_name_emergency_contact": {"name": "x", "phone": "0912345678", "relation": "friend", "signed": SIGNED},
    "me_say_to_purpose": {"agreed": True, "version": "1", "signed": SIGNED},
    "me_state_wish": {"shown_to_doctors": False, "shown_on_paper": False, "signed": SIGNED},
    "me_invite_proxy": {"scopes": ["vitals"], "until": "2027-01-01", "signed": SIGNED},
    "me_accept_proxy": {"code": "A" * 26},
    "me_start_family_proof": {"secret_challenge": "a" * 43, "return_to": "vn.example.ssk:/back"},
    "me_finish_family_proof": {"receipt": "x", "secret": "x"},
    "me_renew_proxy": {"until": "2027-01-01", "signed": SIGNED},
    "me_tick_guardian_labels": {"labels": [], "signed": SIGNED},
    "me_share_link": {"label": "x", "signed": SIGNED},
    "me_arm_share_link": {"signed": SIGNED},
    "me_confirm_share_link": {"signed": SIGNED},
    "me_share_code": {"types": ["Condition"], "duration_seconds": 3600, "unlock": "pin", "signed": SIGNED},
    "me_look_at_app_request": {"code": "ABCD1234"},
    "me_approve_app_request": {"ticked": ["Condition"], "days": 30, "signed": SIGNED},
    "me_dispute_emergency": {"reason": "other"},
    "me_set_emergency_settings": {"withheld": []},
    "make_statement": {"kind": "allergy", "name": "x"},
    "amend_statement": {"kind": "allergy", "name": "x"},
    "make_health_card": {"book": "childhood"},
    "declare_dose": {"given": "2020", "paper_id": "x", "vaccine": "x"},
    "me_amend_document": {"kind": "paper-book"},
    "me_report_reaction": {"symptoms": [{"code": "fever"}], "said": "mild"},
    "me_report_reaction_quickly": {"symptoms": [{"code": "fever"}]},
    "me_add_to_reaction": {"symptoms": [{"code": "fever"}]},
    "facility_follow_up_reaction": {"text": "Đã gọi điện hỏi thăm."},
    "facility_close_reaction": {"outcome": "recovered", "assessed": "mild"},
    "facility_read_letter": {"code": "x"},
    "book_by_letter": {"schedule_id": SOME_ID, "slot_id": SOME_ID},
    "me_check_in": {"qr": "SSK1:abc", "client_id": SOME_ID},
    "me_check_out": {"qr": "SSK1:abc"},
    "facility_check_out": {"qr": "SSK1:abc"},
    "open_counter": {"reason": "mở quầy mới", "counter": {"code": "A-1", "name": "Quầy 1"}},
    "close_counter": {"reason": "đóng quầy cũ"},
    "give_number": {"client_id": SOME_ID},
    "read_ticket": {"qr": "SSK1:abc"},
    "hold_appointment": {"facility_id": SOME_ID, "schedule_id": SOME_ID, "slot_id": SOME_ID},
    "make_schedule": {"reason": "lịch khám mới", "name": "Khám nội"},
    "close_schedule": {"reason": "bác sĩ nghỉ"},
    "close_schedule_slot": {"reason": "bác sĩ nghỉ"},
    "add_schedule_slots": {
        "slots": [{"starts_at": "2026-11-22T02:00:00Z", "ends_at": "2026-11-22T03:00:00Z", "capacity": 1}]
    },
    "resize_schedule_slot": {"reason": "thêm chỗ", "capacity": 1},
    "mark_appointment": {"outcome": "attended"},
    "register_for_vaccination": {"campaign_id": SOME_ID, "slot_id": SOME_ID, "answers": []},
    "me_set_vital_source_priority": {"priority": 5},
    "me_delete_vitals": {"kind": "weight"},
    "me_send_vitals": {"device": "phone", "seq": 1, "sent_at": "2026-11-21T02:00:00Z", "sources": []},
    "me_declare": {
        "form_id": SOME_ID,
        "check_in_id": SOME_ID,
        "answers": {"resourceType": "QuestionnaireResponse", "status": "completed", "item": []},
    },
    "me_ask": {"facility_id": SOME_ID, "text": "x"},
    "me_share_with_answerer": {"code": "ABCD2345"},
    "me_hide": {"kind": "Observation", "id": "x"},
    "me_open_case": {"kind": "correction", "item_id": "x"},
    "object_to_death": SIGNED,
    "record_notification_receipt": {"kind": "opened"},
    "set_notification_preferences": {
        "zone": "Europe/Paris",
        "quiet_from": "22:00",
        "quiet_until": "06:00",
        "language": "vi",
        "digest": True,
        "muted": ["nutrition:push"],
    },
    "set_push_target": {"kind": "fid", "value": "fid"},
}


async def test_anothers_book_is_closed_whether_that_person_exists_or_not(
    store: Store, clock: FrozenClock, tokens: dict[str, str]
) -> None:
    """X-Patient-Id opens one's own book only, until family links exist: to read and to act."""
    headers = bearer(tokens["citizen"]) | {"X-Patient-Id": "01985e2c-7a00-7abc-8def-0123456789ab"}
    async with client_of(store, clock) as client:
        for route in CLOSED:
            if not route.path.startswith("/v1/me"):
                continue
            options: dict[str, Any] = {"params": dict.fromkeys(route.query, "abc"), "headers": headers}
            if route.operation_id in BODIES:
                options["json"] = BODIES[route.operation_id]
            response = await client.request(route.method, route.filled, **options)
            told = (response.status_code, response.json()["code"])
            assert told == (403, "not-your-book"), (route.method, route.path)
