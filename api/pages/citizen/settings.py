"""My devices: which may sign, why a new one may do less, and ending one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.citizen.account_changes import TRUST_TYP
from api.pages.browser import drop_cookie
from api.pages.citizen.whose import in_own_book
from api.pages.showing import CITIZEN, Shown, Visit, open_visit
from api.pages.signing import signed_act, texts_to_sign
from api.request import Call
from kernel.problems import Refused

PATH: Final = "/me/settings"
TITLE: Final = ("Thiết bị của tôi", "My devices")


@get(PATH, operation_id="page_me_settings", **CITIZEN)
async def settings(call: NamedDependency[Call]) -> Response[Any]:
    """Where my book is open, and what this browser may do."""
    return await _show(open_visit(call, "citizen"))


@post(f"{PATH}/devices/{{device_id:uuid}}/end", operation_id="page_me_settings_device_end", **CITIZEN)
async def end(device_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """End a device and every session on it; this one's own too."""
    visit = open_visit(call, "citizen")
    await visit.form()
    own = in_own_book(visit)
    this = _this((await own.read("/v1/me/devices"))["items"])
    done = await own.send("DELETE", f"/v1/me/devices/{device_id}")
    if isinstance(done, Refused):
        return await _show(visit, problem=done)
    if this is not None and str(device_id) == this["device_id"]:
        return visit.go("/", [drop_cookie(call, "citizen"), drop_cookie(call, "book")])
    return visit.go(PATH)


@post(f"{PATH}/devices/{{device_id:uuid}}/trust", operation_id="page_me_settings_device_trust", **CITIZEN)
async def trust(device_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[Any]:
    """This browser's key answers for a new device."""
    visit = open_visit(call, "citizen")
    form = await visit.form()
    body = {"signed": signed_act(form)}
    done = await in_own_book(visit).send("POST", f"/v1/me/devices/{device_id}/trust", body)
    return await _show(visit, problem=done) if isinstance(done, Refused) else visit.go(PATH)


async def _show(visit: Visit, *, problem: Refused | None = None) -> Shown:
    """Of one's own devices, whoever's book is open."""
    own = in_own_book(visit)
    me = await own.read("/v1/me")
    devices = (await own.read("/v1/me/devices"))["items"]
    new = [one for one in devices if _may_be_trusted(one) and is_new(one, visit.call.now)]
    idents = [] if me["on_probation"] else [one["device_id"] for one in new]
    signing = await texts_to_sign(own, TRUST_TYP, {ident: {"trusts": ident} for ident in idents})
    return visit.show(
        "citizen/settings.html",
        TITLE,
        status=200 if problem is None else problem.problem.status,
        nav="settings",
        problem=problem,
        me=me,
        devices=devices,
        new={one["device_id"] for one in devices if is_new(one, visit.call.now)},
        signing=signing,
        this=_this(devices),
    )


def _this(devices: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((one for one in devices if one["this_device"]), None)


def _may_be_trusted(device: dict[str, Any]) -> bool:
    """Another one that has a key."""
    return not device["this_device"] and (device["kind"] == "app" or device["credential_id"] is not None)


def is_new(device: dict[str, Any], now: datetime) -> bool:
    """Whether the 72 hours of a device still run (security.md S8)."""
    return datetime.fromisoformat(device["probation_until"]) > now


handlers: list[Any] = [settings, end, trust]
