"""A family over the real server, two API processes and a worker: parents of a child, and a proxy."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from healthbook.demo_people import DemoPerson, make_people
from kernel.clock import local_day
from tests.journeys.conftest import People
from tests.journeys.test_not_mine import wait_for_notice
from tests.support.client import App

MOTHER, FATHER, CHILD = "huong", "minh", "bao-anh"


@dataclass
class Book:
    """Somebody else's book in one's own login."""

    app: App
    person_id: str

    def ask(self, method: str, path: str, expect: int = 200, body: Any = None) -> Any:
        headers = {"X-Patient-Id": self.person_id}
        token = self.app.token()
        return self.app.api.ask(method, f"/v1/me/{path}", expect, token=token, headers=headers, body=body)


def person_of(key: str) -> DemoPerson:
    return next(one for one in make_people(local_day(datetime.now(UTC))) if one.key == key)


def attest(people: People, guardian: str) -> None:
    """Both came to the desk with their papers; two members of staff say whose guardian it is."""
    first, second = people.staff("tn.quy"), people.staff("tn.an")
    child, parent = person_of(CHILD), person_of(guardian)
    for one in (child, parent):
        card = {"number": one.number, "name": one.name, "birth_date": one.birth_date, "sex": one.sex}
        first.post("/v1/facility/arrivals", card, 201)
    pair = {"child_number": child.number, "guardian_number": parent.number, "papers_seen": True}
    made = first.post("/v1/facility/guardianships", pair, 201)
    path = f"/v1/facility/guardianships/{made['proposal_id']}/confirm"
    assert first.post(path, {"papers_seen": True}, 403) == "second-account-needed"
    assert second.post(path, {"papers_seen": False}, 403) == "card-not-seen"
    second.post(path, {"papers_seen": True}, 204)


def child_of(app: App) -> Book:
    items = app.get("/v1/me/family")["items"]
    found = [one for one in items if one["name"] == person_of(CHILD).name and one["acts"] == "for-them"]
    assert [(one["relation"], one["band"]) for one in found] == [("guardian", "schoolchild")]
    return Book(app, found[0]["person_id"])


def test_a_mother_answers_for_a_child_and_says_no_to_a_second_guardian_who_waits(people: People) -> None:
    mother, father = people.app(MOTHER), people.app(FATHER)
    doctor, stranger = people.staff("bs.senh"), people.app("dong")
    for one in (MOTHER, FATHER):
        attest(people, one)
    wait_for_notice(mother, "family-linked")
    book = child_of(mother)
    child = book.person_id
    assert Book(father, child).ask("GET", "summary", 403) == "not-your-book"
    assert [one["person_id"] for one in beside(mother, child)] == [father.patient_id]
    assert book.ask("GET", "summary")["person"]["name"] == person_of(CHILD).name
    assert Book(stranger, child).ask("GET", "summary", 403) == "not-your-book"

    opened = doctor.ask("citizen-qr", book.ask("GET", "identification-qr")["qr"], duration_seconds=86400)
    rung = wait_for_notice(mother, "dependent-request")
    assert rung["ref"] == {"request_id": opened["request_id"], "patient_id": child}
    path = f"access-requests/{opened['request_id']}"
    request = book.ask("GET", path)
    scanned = book.ask("POST", "access-requests/scan", 200, {"qr": opened["display"]["qr"]})
    unsigned = mother.approval(request, "A", scanned["nonce"])
    assert book.ask("POST", f"{path}/approve", 401, unsigned | {"assent": False}) == "step-up-refused"
    signed = mother.approval(request, "A", scanned["nonce"], book=child)
    grant = book.ask("POST", f"{path}/approve", 201, signed | {"assent": False})
    assert doctor.read(child)["person"]["name"] == person_of(CHILD).name
    made = [one for one in log_of(book) if one["action"] == "consent:grant:create"]
    assert person_of(MOTHER).name in made[0]["line"]

    book.ask("DELETE", f"grants/{grant['grant_id']}", 204)
    doctor.read(child, expect=403)
    told = news_of(mother, child, "consent.revoked")
    assert {"family.guardian-added", "consent.granted", "consent.used", "consent.revoked"} <= told
    book.ask("DELETE", f"guardians/{father.patient_id}", 204)
    assert beside(mother, child) == []


def beside(app: App, child: str) -> list[dict[str, Any]]:
    """The other guardians of a child, those too who wait."""
    (line,) = [one for one in app.get("/v1/me/family")["items"] if one["person_id"] == child]
    found: list[dict[str, Any]] = line["beside"]
    return found


def log_of(book: Book) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = book.ask("GET", "access-log?limit=100")["items"]
    return items


def news_of(app: App, child: str, last: str) -> set[str]:
    """What a parent heard of the child, once that came."""
    for _ in range(100):
        items = [one for one in app.get("/v1/me/notifications")["items"] if one["type"] == "dependent-news"]
        told = {one["ref"]["what"] for one in items if one["ref"]["patient_id"] == child}
        if last in told:
            return told
        time.sleep(0.1)
    raise AssertionError("no news")


def told_of_links(app: App) -> list[str]:
    """The ids of what was told of relatives; other news of the demo may still be on its way."""
    items = app.get("/v1/me/notifications")["items"]
    return [one["id"] for one in items if one["type"].startswith(("family-", "dependent-"))]


def test_a_proxy_is_invited_reads_what_was_named_and_ends_without_a_word(people: People) -> None:
    mother, father = people.app(MOTHER), people.app(FATHER)
    until = (local_day(datetime.now(UTC)) + timedelta(days=30)).isoformat()
    facts = {"scopes": ["vitals"], "until": until}
    body = facts | {"signed": mother.sign("proxy-invite", facts)}
    invited = mother.post("/v1/me/proxies/invitations", body, 201)
    accepted = father.post("/v1/me/proxies/accept", {"code": invited["code"]}, 201)
    assert father.post("/v1/me/proxies/accept", {"code": invited["code"]}, 403) == "proxy-code-refused"
    hers = Book(father, accepted["patient_id"])
    hers.ask("GET", "vital-signs")
    for closed in ("summary", "timeline", "grants", "access-log", "notifications", "devices"):
        assert hers.ask("GET", closed, 403) == "not-in-your-care"

    renewed = {"proxy_id": father.patient_id, "until": until}
    body = {"until": until, "signed": mother.sign("proxy-renew", renewed)}
    mother.post(f"/v1/me/proxies/{father.patient_id}/renew", body, 204)
    # One of the demo's own link to a child, and one of this link: either may still be on its way.
    for _ in range(200):
        if len(before := told_of_links(father)) == 2:
            break
        time.sleep(0.1)
    assert len(before) == 2
    mother.delete(f"/v1/me/family/{father.patient_id}")
    assert hers.ask("GET", "vital-signs", 403) == "not-your-book"
    assert mother.patient_id not in {one["person_id"] for one in father.get("/v1/me/family")["items"]}
    assert told_of_links(father) == before
