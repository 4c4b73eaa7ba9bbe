"""A daughter adds an allergy and a photo of the paper book for her father, over the real server. A doctor
sees both as declared, confirms the allergy, and what she said stays as she said it."""

import base64
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from kernel.clock import local_day
from tests.journeys.conftest import People
from tests.journeys.test_family_decision import Book
from tests.journeys.test_main_path import present
from tests.journeys.test_not_mine import wait_for_notice
from tests.support.client import App, Staff

FATHER, DAUGHTER, SON = "minh", "tu", "dong"
SEEN = ["AllergyIntolerance", "DocumentReference"]
SULFA = {"kind": "allergy", "name": "Cotrimoxazol", "code": "1", "reaction": "Phát ban", "said_by": "child"}


def photo() -> bytes:
    """A photo of a page, as a phone takes it."""
    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), (240, 235, 220)).save(drawn, "JPEG", quality=80)
    return drawn.getvalue()


def let(father: App, relative: App, *scopes: str) -> Book:
    """The father lets a relative act for him, in those things."""
    until = (local_day(datetime.now(UTC)) + timedelta(days=30)).isoformat()
    facts = {"scopes": sorted(scopes), "until": until}
    body = facts | {"signed": father.sign("proxy-invite", facts)}
    invited = father.post("/v1/me/proxies/invitations", body, 201)
    accepted = relative.post("/v1/me/proxies/accept", {"code": invited["code"]}, 201)
    return Book(relative, accepted["patient_id"])


def of_section(summary: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return next((part["items"] for part in summary["sections"] if part["key"] == key), [])


def declared(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if item.get("self_declared")]


def doctor_of(people: People, father: App) -> Staff:
    """A doctor whom the father let in."""
    doctor = people.staff("bs.senh")
    opened, request = present(father, doctor, types=SEEN)
    father.approve(request, "B", opened["display"]["digits"])
    return doctor


def test_a_daughter_adds_for_her_father_and_a_doctor_confirms_what_she_said(people: People) -> None:
    father, daughter, son = people.app(FATHER), people.app(DAUGHTER), people.app(SON)
    his = let(father, daughter, "read-record", "add-to-record")
    only_reads = let(father, son, "read-record")
    assert only_reads.ask("POST", "statements", 403, SULFA) == "not-in-your-care"

    before = of_section(father.get("/v1/me/summary"), "allergies")
    said = his.ask("POST", "statements", 201, SULFA)
    paper = his.ask(
        "POST",
        "documents",
        201,
        {
            "kind": "paper-book",
            "date": "2019",
            "facility_name": "Trạm y tế xã cũ",
            "said_by": "child",
            "content": base64.b64encode(photo()).decode(),
        },
    )
    (own,) = declared(of_section(father.get("/v1/me/summary"), "allergies"))
    assert (own["id"], own["recorded_by"]) == (said["statement_id"], "con gái")

    doctor = doctor_of(people, father)
    told = of_section(doctor.read(father.patient_id), "allergies")
    (seen,) = declared(told)
    assert (seen["title"], seen["recorded_by"], seen["reactions"]) == (
        "Cotrimoxazol",
        "con gái",
        ["Phát ban"],
    )
    assert "verdict" not in seen
    # What facilities sent stands beside it, untouched.
    assert [item for item in told if not item.get("self_declared")] == before
    papers = doctor.read(father.patient_id, "documents")["items"]
    (shown,) = [item for item in papers if item["id"] == paper["item_id"]]
    assert (shown["self_declared"], shown["recorded_by"]) == (True, "con gái")

    looked_at = f"/v1/doctor/patients/{father.patient_id}/statements/{paper['item_id']}/verdict"
    doctor.api.ask("PUT", looked_at, token=doctor.token, body={"outcome": "confirmed", "version": 1})
    papers = doctor.read(father.patient_id, "documents")["items"]
    (judged,) = [item for item in papers if item["id"] == paper["item_id"]]
    assert judged["verdict"]["outcome"] == "confirmed"

    path = f"/v1/doctor/patients/{father.patient_id}/statements/{said['statement_id']}/verdict"
    word = {"outcome": "confirmed", "version": 1, "note": "Người nhà kể rõ, có phát ban sau uống"}
    doctor.api.ask("PUT", path, token=doctor.token, body=word)
    (confirmed,) = declared(of_section(doctor.read(father.patient_id), "allergies"))
    verdict = confirmed.pop("verdict")
    assert (verdict["outcome"], verdict["note"]) == ("confirmed", word["note"])
    assert confirmed == seen

    wait_for_notice(father, "statement-judged")
    mine, kept = sorted(father.get("/v1/me/statements")["items"], key=lambda one: str(one["kind"]))
    assert (kept["kind"], kept["statement_id"]) == ("paper", paper["item_id"])
    assert (mine["version"], mine["item"]["verdict"]) == (1, verdict)
    lines = [row["line"] for row in father.get("/v1/me/access-log?limit=100")["items"]]
    assert any("khai thêm một mục vào sổ" in line for line in lines)
    assert any("xác nhận một mục tự khai" in line for line in lines)

    # The father takes it back; the doctor sees what facilities sent, and nothing else.
    father.post(f"/v1/me/statements/{said['statement_id']}/withdraw")
    assert of_section(doctor.read(father.patient_id), "allergies") == before


def test_what_the_book_may_not_take_is_refused_over_http_without_its_words(people: People) -> None:
    father = people.app(FATHER)
    for body, code in (
        ({"kind": "risk-factor", "code": "3", "state": "yes"}, "statement-drug-use"),
        ({"kind": "disease", "name": "Điều trị methadone"}, "statement-not-taken"),
    ):
        assert father.post("/v1/me/statements", body, 422) == code
