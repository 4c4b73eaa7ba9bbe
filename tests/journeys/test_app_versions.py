"""The whole way of an app that is too old, over HTTP and two processes: 426 with the store, the policy, the
new version; and what a person may do meanwhile."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from healthbook.demo_sheet import DemoSheet
from tests.journeys.conftest import People
from tests.journeys.test_by_hand import Terminal
from tests.support.app_versions import STORE_URL, saying
from tests.support.service import Service

WITHIN_SECONDS = 30
IN_A_ROW = 24
OLD, NEW = "android/1.9.0", "android/1.10.0"


@pytest.fixture
def phone(service: Service) -> Iterator[httpx.Client]:
    """No connection is kept, so that each request meets whichever process takes it."""
    with httpx.Client(
        base_url=service.base_url, limits=httpx.Limits(max_keepalive_connections=0), timeout=30
    ) as opened:
        yield opened


def everywhere(phone: httpx.Client, headers: dict[str, str], status: int) -> None:
    """Every process answers so, within the time that the contract says."""
    deadline, alike = time.monotonic() + WITHIN_SECONDS, 0
    while alike < IN_A_ROW:
        got = phone.get("/v1/me/summary", headers=headers).status_code
        alike = alike + 1 if got == status else 0
        assert alike or time.monotonic() < deadline, f"{got} instead of {status}"


def test_an_old_app_is_sent_to_the_store_and_the_new_one_works(
    service: Service, phone: httpx.Client, people: People, sheet: DemoSheet
) -> None:
    hand, (first, second) = Terminal(service), (one.username for one in sheet.operators)
    token = people.app("tu").access_token
    as_person = {"Authorization": f"Bearer {token}"}
    # Below 1.0.0 is too old in every demo.
    everywhere(phone, as_person | saying("ios/0.9.9"), 426)
    everywhere(phone, as_person | saying(OLD), 200)

    policy = {
        "platform": "android",
        "minimum": "1.10.0",
        "recommended": "1.10.0",
        "store_url": STORE_URL,
        "message_vi": "Bản cũ không còn an toàn.",
        "message_en": "The old version is no longer safe.",
        "features": [{"name": "vitals-sync", "from_version": "1.10.0"}],
    }
    body = json.dumps({"reason": "Bản 1.9 có lỗi", "policy": policy})
    status, proposed = hand(first, "POST", "/v1/admin/app-policies", body)
    assert status == 202
    assert phone.get("/v1/me/summary", headers=as_person | saying(OLD)).status_code == 200
    status, refused = hand(first, "POST", f"/v1/admin/changes/{proposed['change_id']}/confirm")
    assert (status, refused["code"]) == (403, "second-account-needed")
    assert hand(second, "POST", f"/v1/admin/changes/{proposed['change_id']}/confirm")[0] == 201
    everywhere(phone, as_person | saying(OLD), 426)

    told = phone.get("/v1/me/summary", headers=as_person | saying(OLD))
    assert (told.json()["code"], told.json()["link"]) == ("app-too-old", STORE_URL)
    asked = phone.get("/v1/app-policy", headers=saying(OLD))
    assert (asked.json()["state"], asked.json()["minimum"]) == ("too-old", "1.10.0")
    assert asked.json()["message_vi"] == policy["message_vi"]

    for path in ("/v1/me/grants", "/v1/me/devices", "/v1/me/emergency-card"):
        assert phone.get(path, headers=as_person | saying(OLD)).status_code == 200, path
    everywhere(phone, as_person | saying(NEW), 200)
    everywhere(phone, as_person, 200)
    updated = phone.get("/v1/app-policy", headers=saying(NEW)).json()
    assert updated["state"] == "current"
    assert [one["name"] for one in updated["features"] if one["is_on"]] == ["vitals-sync"]
    held = {"If-None-Match": phone.get("/v1/app-policy", headers=saying(NEW)).headers["etag"]}
    for _ in range(IN_A_ROW):
        assert phone.get("/v1/app-policy", headers=saying(NEW) | held).status_code == 304
    assert calls_of(hand, first, "1.9.0") > IN_A_ROW
    assert calls_of(hand, first, "1.10.0") > IN_A_ROW


def calls_of(hand: Terminal, operator: str, version: str) -> int:
    """As written so far; processes write every few seconds."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        items = hand(operator, "GET", "/v1/admin/app-use")[1]["items"]
        calls: int = sum(one["calls"] for one in items if one["version"] == version)
        if calls > IN_A_ROW:
            return calls
    return 0
