"""The transcript of README.md, typed: `healthbook as WHO …` walks the main path at a running service."""

import json
from typing import Any

import pytest

from tests.support.service import Service, environment, run_command_with

CITIZEN, DOCTOR = "tu", "dd.hoa"


class Terminal:
    """`healthbook as`, with the status and the JSON that it prints."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def __call__(self, who: str, *words: str) -> tuple[int, Any]:
        settings = environment(self.service.data, PORT=str(self.service.port))
        done = run_command_with(settings, "as", who, *words)
        assert done.returncode == 0, done.stderr.decode()
        status, _, body = done.stdout.decode().partition("\n")
        return int(status.split()[0]), json.loads(body) if body.strip() else None


@pytest.fixture
def hand(service: Service) -> Terminal:
    return Terminal(service)


def ask(hand: Terminal) -> dict[str, Any]:
    _, code = hand(CITIZEN, "GET", "/v1/me/identification-qr")
    subject = json.dumps({"subject": {"kind": "citizen-qr", "value": code["qr"]}})
    status, opened = hand(DOCTOR, "POST", "/v1/doctor/access-requests", subject)
    assert status == 202
    return dict(opened)


def test_the_transcript_of_the_readme_holds(hand: Terminal) -> None:
    status, book = hand(CITIZEN, "GET", "/v1/me/summary")
    assert (status, book["person"]["name"]) == (200, "Nguyễn Thị Tư")
    request = ask(hand)
    wrong = "000000" if request["display"]["digits"] != "000000" else "111111"
    status, refused = hand(CITIZEN, "approve", request["request_id"], "--digits", wrong)
    assert (status, refused["code"], refused["remaining"]) == (403, "otp-invalid", 4)

    digits = request["display"]["digits"]
    narrower = ("--hours", "1", "--types", "Condition,AllergyIntolerance")
    status, grant = hand(CITIZEN, "approve", request["request_id"], "--digits", digits, *narrower)
    assert (status, grant["tier"]) == (201, "B")
    _, state = hand(DOCTOR, "GET", f"/v1/doctor/access-requests/{request['request_id']}")
    record = f"/v1/doctor/patients/{state['patient_id']}"
    assert hand(DOCTOR, "GET", f"{record}/summary")[0] == 200
    assert hand(DOCTOR, "GET", f"{record}/medications")[1]["items"] == []

    assert hand(CITIZEN, "DELETE", f"/v1/me/grants/{grant['grant_id']}") == (204, None)
    status, refused = hand(DOCTOR, "GET", f"{record}/summary")
    assert (status, refused["code"]) == (403, "no-access")
    _, log = hand(CITIZEN, "GET", "/v1/me/access-log")
    lines = [item["line"] for item in log["items"] if not item["is_own"]]
    assert any("đã xem tóm tắt sổ" in line for line in lines)
    assert any("đã thử xem tóm tắt sổ" in line for line in lines)


def test_a_scanned_code_and_digits_read_back_open_the_same_door(hand: Terminal) -> None:
    request = ask(hand)
    status, grant = hand(CITIZEN, "approve", request["request_id"], "--qr", request["display"]["qr"])
    assert (status, grant["tier"]) == (201, "A")

    request = ask(hand)
    settings = environment(hand.service.data, PORT=str(hand.service.port))
    done = run_command_with(settings, "as", CITIZEN, "read-back", request["display"]["qr"])
    code = json.dumps({"code": done.stdout.decode().strip()})
    status, _ = hand(DOCTOR, "POST", f"/v1/doctor/access-requests/{request['request_id']}/code", code)
    assert status == 200


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "GET", "/v1/me"), "is nobody of the demo's sheet"),
        ((CITIZEN, "POST", "/v1/auth/sign-out", "{"), "The body is not JSON"),
        ((CITIZEN, "approve", "x"), "--digits or --qr"),
        ((DOCTOR, "read-back", "x"), "Only a citizen's phone"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(service: Service, words: tuple[str, ...], said: str) -> None:
    done = run_command_with(environment(service.data, PORT=str(service.port)), "as", *words)
    assert done.returncode != 0
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
