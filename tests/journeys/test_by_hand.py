"""The transcripts of README.md, typed: `healthbook as WHO …` at a running service."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from healthbook.demo_acts import HandError
from healthbook.demo_bodies import body_of
from healthbook.demo_sheet import DemoSheet
from tests.support.service import Service, environment, run_command_with

CITIZEN, DOCTOR = "tu", "bs.yen"
GUARDIAN, CHILD = "huong", "bao-anh"
DONE = {200, 201, 204}


class Terminal:
    """`healthbook as`, with the status and the JSON that it prints."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def __call__(self, who: str, *words: str) -> tuple[int, Any]:
        settings = environment(self.service.data, PORT=str(self.service.port))
        done = run_command_with(settings, "as", who, *words)
        assert done.returncode in {0, 1}, done.stderr.decode()
        first, _, body = done.stdout.decode().partition("\n")
        status = int(first.split()[0])
        assert done.returncode == int(status >= 400)
        return status, json.loads(body) if body.strip() else None

    def line(self, who: str, *words: str) -> str:
        """A verb that prints one line."""
        settings = environment(self.service.data, PORT=str(self.service.port))
        done = run_command_with(settings, "as", who, *words)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()


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
    code = json.dumps({"code": hand.line(CITIZEN, "read-back", request["display"]["qr"])})
    status, _ = hand(DOCTOR, "POST", f"/v1/doctor/access-requests/{request['request_id']}/code", code)
    assert status == 200


def test_what_the_phone_signs_is_sent_by_one_verb(hand: Terminal, tmp_path: Path) -> None:
    status, link = hand(CITIZEN, "sign", "/v1/me/share-links", '{"label": "Bác sĩ ở Pháp"}')
    assert status == 201
    assert len(link["passcode"]) == 8
    link_id = link["link_id"]
    assert hand(CITIZEN, "sign", f"/v1/me/share-links/{link_id}/arm")[0] == 200
    status, code = hand(
        CITIZEN, "sign", "/v1/me/share-codes", '{"types": ["AllergyIntolerance", "Condition"]}'
    )
    assert status == 201
    given = json.dumps({"code": code["code"]})
    status, opened = hand("bs.senh", "POST", "/v1/doctor/share-codes/redeem", given)
    assert status == 200
    narrower = hand(CITIZEN, "PATCH", f"/v1/me/grants/{opened['grant_id']}", '{"types": ["Condition"]}')
    assert narrower[1]["types"] == ["Condition"]

    parts = '{"parts": ["identity", "allergies"]}'
    assert hand(CITIZEN, "sign", "/v1/me/emergency-card", parts)[0] == 200
    assert hand(CITIZEN, "sign", "/v1/me/emergency-card/code")[0] in DONE
    assert " bytes in " in hand.line(
        CITIZEN, "save", "/v1/me/emergency-card/card.pdf", str(tmp_path / "t.pdf")
    )
    assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF")
    contact = '{"name": "Lê Văn Ba", "phone": "0900000777", "relation": "neighbour"}'
    assert hand(CITIZEN, "sign", "/v1/me/emergency-contacts", contact)[0] in DONE
    assert hand(CITIZEN, "sign", "/v1/me/emergency-access/settings", '{"withheld": ["imaging"]}')[0] == 200
    assert hand(CITIZEN, "sign", "/v1/me/emergency-access/settings", '{"withheld": []}')[0] == 200
    purposes = hand(CITIZEN, "GET", "/v1/me/purposes")[1]["items"]
    asked = next(one["purpose"] for one in purposes if one["basis"] == "consent")
    assert hand(CITIZEN, "sign", f"/v1/me/purposes/{asked}")[0] in DONE
    wish = '{"choice": "yes", "shown_to_doctors": true}'
    assert hand(CITIZEN, "sign", "/v1/me/wishes/organ-donation", wish)[0] in DONE

    seen = hand(CITIZEN, "GET", "/v1/me/who-can-see-me")[1]["items"]
    assert {(one["kind"], one["held"]) for one in seen} >= {("grant", False), ("link", False)}
    assert "Bác sĩ ở Pháp" in {one["name"] for one in seen}
    assert hand(CITIZEN, "POST", "/v1/me/who-can-see-me/end-all") == (204, None)


def test_a_guardian_and_a_proxy_are_played_with_for(hand: Terminal) -> None:
    status, book = hand(GUARDIAN, "GET", "/v1/me/summary", "--for", CHILD)
    assert (status, book["person"]["name"]) == (200, "Nguyễn Ngọc Bảo Anh")
    assert hand(GUARDIAN, "sign", "/v1/me/share-links", '{"label": "Trường"}', "--for", CHILD)[0] == 403

    _, invited = hand(
        CITIZEN, "sign", "/v1/me/proxies/invitations", '{"scopes": ["read-record"], "until": "2027-06-30"}'
    )
    code = json.dumps({"code": invited["code"]})
    status, accepted = hand(GUARDIAN, "POST", "/v1/me/proxies/accept", code)
    assert status in DONE
    assert hand(GUARDIAN, "GET", "/v1/me/summary", "--for", CITIZEN)[1]["person"]["name"] == "Nguyễn Thị Tư"
    family = hand(CITIZEN, "GET", "/v1/me/family")[1]["items"]
    proxy = next(one["person_id"] for one in family if one["relation"] == "proxy")
    renewed = hand(CITIZEN, "sign", f"/v1/me/proxies/{proxy}/renew", '{"until": "2027-07-31"}')
    assert renewed[0] in DONE
    assert accepted["patient_id"] != proxy


def test_a_phone_signs_what_changes_the_ways_into_its_account(hand: Terminal, sheet: DemoSheet) -> None:
    citizen = next(one for one in sheet.citizens if one.key == CITIZEN)
    assert hand(CITIZEN, "sign", "/v1/me/pin", json.dumps({"pin": citizen.pin})) == (204, None)
    status, started = hand(CITIZEN, "sign", "/v1/me/phone", '{"phone": "0900 000 778"}')
    assert (status, set(started) >= {"challenge_id"}) == (202, True)
    # The signature is good: what is refused is that nobody has such a device.
    status, refused = hand(CITIZEN, "sign", f"/v1/me/devices/{UUID(int=7)}/trust")
    assert (status, refused["code"]) == (404, "no-such-device")


def test_a_factor_is_shown_again_with_what_the_authenticator_says(hand: Terminal) -> None:
    assert hand("bs.thu", "GET", "/v1/doctor/me")[1]["emergency_unit"] == "Khoa Cấp cứu"
    # The sign-in used one up; what is shown is the next one, also when it is asked for twice at once.
    for _ in range(2):
        totp = json.dumps({"totp": hand.line("bs.thu", "totp")})
        assert hand("bs.thu", "POST", "/v1/doctor/re-authenticate", totp)[0] == 200


@pytest.mark.parametrize("path", ["/v1/department/statistics", "/v1/department/emergency-reviews"])
def test_an_analyst_of_the_health_department_signs_in(hand: Terminal, path: str) -> None:
    assert hand("pt.mai", "GET", path)[0] == 200


def test_who_was_signed_out_signs_in_again_with_the_same_phone(hand: Terminal) -> None:
    assert hand("dong", "GET", "/v1/me/summary")[0] == 200
    devices = hand("dong", "GET", "/v1/me/devices")[1]["items"]
    assert hand("dong", "POST", "/v1/auth/sign-out")[0] == 204
    assert hand("dong", "GET", "/v1/me/devices")[1]["items"][0]["device_id"] == devices[0]["device_id"]
    assert hand("dong", "sign", "/v1/me/share-links", '{"label": "Con trai"}')[0] == 201


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody", "GET", "/v1/me"), "is nobody of the demo's sheet"),
        ((CITIZEN, "POST", "/v1/auth/sign-out", "{"), "The body is not JSON"),
        ((CITIZEN, "approve", "x"), "--digits or --qr"),
        ((DOCTOR, "read-back", "x"), "Only a citizen's phone"),
        ((CITIZEN, "totp"), "Only staff and operators"),
        ((CITIZEN, "GET"), "needs an address"),
        ((CITIZEN, "sign", "/v1/me/summary"), "`sign` knows no act at /v1/me/summary"),
        ((CITIZEN, "sign", "/v1/me/share-links"), "The body needs `label`"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(service: Service, words: tuple[str, ...], said: str) -> None:
    done = run_command_with(environment(service.data, PORT=str(service.port)), "as", *words)
    assert done.returncode != 0
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_file_goes_as_it_is_and_a_key_makes_a_repeat_harmless(hand: Terminal, tmp_path: Path) -> None:
    book = (Path(__file__).parents[2] / "docs" / "book.md").read_text()
    file = tmp_path / "lop-3a.csv"
    file.write_text(book.partition("```csv\n")[2].partition("```")[0])
    session = "/v1/facility/health-checks/session?kind=school&form=831-d"
    status, receipt = hand("dd.mua", "POST", session, "--file", str(file))
    assert (status, receipt["file"]["rows_accepted"]) == (202, 2)
    status, refused = hand("dd.mua", "POST", session, "--file", str(file), "--type", "application/xml")
    assert (status, refused["code"]) == (415, "unsupported-media-type")

    said = tmp_path / "said.json"
    said.write_text('{"kind": "allergy", "name": "Tôm", "code": "3"}')
    added = [
        hand(CITIZEN, "POST", "/v1/me/statements", "--file", str(said), "--key", "mot-lan-va-khong-hon")
        for _ in range(2)
    ]
    assert [status for status, _ in added] == [201, 201]
    assert added[0][1]["statement_id"] == added[1][1]["statement_id"]


def test_a_file_nobody_knows_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "paper.doc").write_text("x")
    with pytest.raises(HandError, match="--type"):
        body_of("POST", None, {"file": str(tmp_path / "paper.doc"), "media_type": None})
    with pytest.raises(HandError, match="--file"):
        body_of("POST", "@said.json", {"file": None, "media_type": None})


def test_s4_a_certificate_of_the_demo_verifies_without_the_service_where_a_demo_is_believed(
    hand: Terminal, tmp_path: Path
) -> None:
    def saved(path: str, name: str) -> str:
        file = str(tmp_path / name)
        assert " bytes in " in hand.line("hung", "save", path, file)
        return file

    doses = hand("hung", "GET", "/v1/me/certificates")[1]["doses"]
    (made,) = (one["certificate"] for one in doses if one["certificate"])
    picture = saved(f"/v1/me/certificates/{made['certificate_id']}/code.png", "chung-nhan.png")
    keys = saved("/v1/public/certificates/keys", "khoa.json")
    (card,) = (one["card"] for one in hand("hung", "GET", "/v1/me/health-cards")[1]["books"] if one["card"])
    file = saved(f"/v1/me/health-cards/{card['card_id']}/card.smart-health-card", "so.smart-health-card")
    # The port of the place where the demo was made.
    card_keys = f"https://localhost:8000/shc={saved('/shc/.well-known/jwks.json', 'khoa-the.json')}"
    nowhere = environment(tmp_path / "nothing")
    for code, trust, other in ((picture, keys, card_keys), (file, card_keys, keys)):
        done = run_command_with(nowhere, "certificates", "verify", code, "--trust", trust, "--demo")
        assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "VERIFIED")
        assert done.stdout.count(b'"URN:UVCI:01:XX:') == (code is picture)
        strange = run_command_with(nowhere, "certificates", "verify", code, "--trust", other)
        assert (strange.returncode, json.loads(strange.stdout)["status"]) == (1, "ISSUER_NOT_TRUSTED")
    believed = run_command_with(nowhere, "certificates", "verify", picture, "--trust", keys)
    verdict = json.loads(believed.stdout)
    assert (believed.returncode, verdict["status"], verdict["issuer"]) == (1, "INVALID_SIGNATURE", "XX")


def test_one_asks_for_a_certificate_and_another_reads_why_there_is_none(hand: Terminal) -> None:
    doses = hand("hung", "GET", "/v1/me/certificates")[1]["doses"]
    first = next(one["immunization_id"] for one in doses if not one["certificate"])
    status, made = hand("hung", "POST", "/v1/me/certificates", json.dumps({"immunization_id": first}))
    assert (status, made["state"]) == (201, "valid")
    doses = hand("lan", "GET", "/v1/me/certificates")[1]["doses"]
    assert {why["code"] for one in doses for why in one["reasons"]} == {"no-authority", "back-dated"}
    wanted = ("POST", "/v1/me/health-cards", '{"book": "childhood"}', "--for", CHILD)
    assert hand(GUARDIAN, *wanted)[0] == 201
