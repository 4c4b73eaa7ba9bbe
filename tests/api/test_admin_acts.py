"""Every admin route leaves its row in the operators' chain (security.md S26)."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from store.database import Store
from tests.support.actors import make_operator, routes
from tests.support.app_versions import policy_of
from tests.support.clock import FrozenClock
from tests.support.declaring import FORM
from tests.support.http import bearer, client_of
from tests.support.people import make_doctor, make_facility

CONTRACT = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
REASON = "thử mọi đường của người vận hành"
# Read, and nothing changes.
READ_ONLY = frozenset(
    {
        *("open_withdrawals", "list_running_rights", "list_breaches"),
        *("kept_declaration_forms", "kept_declaration_form", "list_app_clients"),
        *("list_app_policies", "list_app_use", "list_register_changes"),
    }
)
# Acts on a case that must be there first, with their rows: tests/consent/test_purposes.py,
# tests/api/test_rights.py and tests/api/test_rights_routes.py; forms and secrets below.
WITH_A_CASE = frozenset(
    {
        *("move_withdrawal", "move_rights_request"),
        *("record_breach", "tell_breach_to_authority", "tell_breach_to_people", "close_breach"),
        *("propose_declaration_form", "publish_declaration_form", "end_declaration_form"),
        "propose_facility_system_secret",
    }
)


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def bodies(store: Store, clock: FrozenClock) -> dict[str, tuple[str, Any]]:
    """Operation → the member beside `reason`, and a body that is taken."""
    house = await make_facility(store, clock)
    doctor = await make_doctor(store, clock, house)
    facility_id, practitioner_id = str(house.facility_id), str(doctor.practitioner_id)
    role_id = str(doctor.practitioner_role_id)
    whom = {"practitioner_id": practitioner_id}
    here = whom | {"facility_id": facility_id}
    unit = {"facility_id": facility_id, "unit_id": str(uuid4())}
    app = {
        "kind": "app",
        "name": "Ứng dụng thử",
        "holder": "Công ty Thử",
        "auth": "none",
        "redirect_uris": ["vn.example.app:/back"],
        "scopes_max": ["patient/*.rs"],
    }
    return {
        "propose_facility": (
            "facility",
            {
                "name": "BV Thử",
                "short_name": "BV Thu",
                "discreet_name": "Cơ sở T",
                "code": f"84{secrets.token_hex(2).upper()[:3]}",
            },
        ),
        "propose_practitioner": ("practitioner", {"user_name": f"p{secrets.token_hex(4)}", "name": "Thử"}),
        "propose_practitioner_role": ("practitioner_role", here | {"role": "nurse"}),
        "propose_practitioner_role_end": (
            "practitioner_role",
            {"practitioner_role_id": role_id, "facility_id": facility_id},
        ),
        "propose_practitioner_suspension": ("practitioner", whom),
        "propose_practitioner_protection": ("practitioner", here),
        "propose_practitioner_protection_end": ("practitioner", here),
        "propose_facility_system": ("client", {"facility_id": facility_id, "kind": "kiosk", "name": "K"}),
        "propose_facility_code": (
            "facility_code",
            {
                "facility_id": facility_id,
                "system": "qd1551-13",
                "code": f"79{secrets.randbelow(10**11):011d}",
                "valid_from": "2027-01-01",
            },
        ),
        "propose_credential_reset": ("account", whom),
        "propose_facility_unit": (
            "unit",
            {"facility_id": facility_id, "kind": "emergency", "name": "Cấp cứu"},
        ),
        "propose_facility_unit_end": ("unit", unit),
        "propose_practitioner_role_unit": (
            "practitioner_role",
            {"practitioner_role_id": role_id, "facility_id": facility_id, "unit_id": None},
        ),
        "propose_emergency_restoration": ("practitioner", whom),
        "propose_app_client": ("client", app),
        "propose_app_client_change": ("client", {"client_id": role_id, "client": app}),
        "propose_app_client_end": ("client", {"client_id": role_id}),
        "propose_app_policy": ("policy", msgspec.to_builtins(policy_of())),
    }


async def written(owner: Store) -> int:
    async with owner.transaction() as tx:
        return int(await tx.fetchval("SELECT count(*) FROM admin_event"))


async def test_s26_every_admin_route_leaves_a_row_or_is_listed(
    store: Store, owner: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    one, two = [await make_operator(store, clock) for _ in range(2)]
    known = await bodies(store, clock)
    admin = {route.operation_id: route for route in routes() if route.path.startswith("/v1/admin/")}
    assert set(admin) - READ_ONLY - WITH_A_CASE == set(known) | {"confirm_change"}
    change_id = ""
    for operation, (member, body) in known.items():
        before = await written(owner)
        route = admin[operation]
        unsigned = await client.post(route.path, json={member: body}, headers=bearer(one))
        assert unsigned.status_code == 400, operation
        done = await client.post(route.path, json={member: body, "reason": REASON}, headers=bearer(one))
        assert done.status_code == 202, (operation, done.text)
        assert await written(owner) == before + 1, operation
        change_id = done.json()["change_id"] if operation == "propose_facility" else change_id
    before = await written(owner)
    path = admin["confirm_change"].path.replace("{change_id}", change_id)
    assert (await client.post(path, headers=bearer(one))).status_code == 403
    assert (await client.post(path, headers=bearer(two))).status_code == 201
    assert await written(owner) == before + 1


async def test_s26_every_step_of_a_form_and_another_secret_leave_a_row(
    store: Store, owner: Store, clock: FrozenClock, client: httpx.AsyncClient
) -> None:
    one, two = [bearer(await make_operator(store, clock)) for _ in range(2)]
    form = {"code": f"f{secrets.token_hex(4)}", "reason": REASON, "questionnaire": FORM}
    forms, before = "/v1/admin/declaration-forms", await written(owner)
    proposed = await client.post(forms, json=form, headers=one)
    assert proposed.status_code == 201, proposed.text
    path = f"{forms}/{proposed.json()['form_id']}"
    assert (await client.post(f"{path}/publish", headers=two)).status_code == 200
    assert (await client.post(f"{path}/end", json={"reason": REASON}, headers=one)).status_code == 200
    assert await written(owner) == before + 3

    house = await make_facility(store, clock)
    new = {"facility_id": str(house.facility_id), "kind": "facility-system", "name": "HIS"}
    body = {"reason": REASON, "client": new}
    change_id = (await client.post("/v1/admin/facility-systems", json=body, headers=one)).json()["change_id"]
    made = (await client.post(f"/v1/admin/changes/{change_id}/confirm", headers=two)).json()
    renewed = {"facility_id": str(house.facility_id), "client_id": made["created_id"]}
    before = await written(owner)
    body = {"reason": REASON, "client": renewed}
    assert (await client.post("/v1/admin/facility-systems/secret", json=body, headers=one)).status_code == 202
    assert await written(owner) == before + 1


# A look-up, and a choice of the facility's own with its date; neither opens or ends anything.
WITHOUT_REASON = frozenset({"look_up_licence", "facility_set_release_policy"})


def test_s26_whatever_a_facility_s_administrator_alone_changes_takes_a_reason() -> None:
    """Each of them leaves its row: counters, kiosks, departments and systems hold it beside their routes."""
    written = json.loads(CONTRACT.read_bytes())
    without = set()
    for route in routes():
        if route.actors != ("facility-admin",) or route.method == "GET":
            continue
        body = written["paths"][route.path][route.method.lower()].get("requestBody", {})
        schema = body.get("content", {}).get("application/json", {}).get("schema", {})
        named = written["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        if "reason" not in named.get("required", []):
            without.add(route.operation_id)
    assert without == WITHOUT_REASON
