"""Everything that somebody can read over HTTP: each GET of the application that the reader may send.

The routes come from the application itself, so a new one is walked without being named here; what is left out
stands in LEFT_OUT with its reason. Papers are read as text, attachments in a body are opened.
"""

import base64
import binascii
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from pypdf import PdfReader

from tests.support.actors import SOME_ID, Route, routes
from tests.support.clock import FrozenClock
from tests.support.exports import step_up
from tests.support.http import bearer
from tests.support.people import Citizen

LEFT_OUT = {
    "/v1/shl/files/{token}": "a file under a key that the service does not keep: tests/consent/links",
    "/v1/viewer/{ticket}": "opened with the tickets that the reader's own POST gives, below",
    "/": "a page without a reader",
    "/docs": "a page without a reader",
    "/docs/openapi.json": "a page without a reader",
    "/health/live": "no reader",
    "/health/ready": "no reader",
    "/v1/app-policy": "versions of apps, no reader",
    "/.well-known/audit-roots": "roots, no reader",
    "/.well-known/qr-keys.json": "keys, no reader",
    "/shc/.well-known/jwks.json": "keys, no reader",
    "/shc/.well-known/crl/{name}": "random names of cards, no reader",
    "/.well-known/consent-keys.json": "keys, no reader",
    "/.well-known/partner-keys.json": "keys, no reader",
    "/v1/public/certificates/keys": "keys, no reader",
    "/v1/public/certificates/revocations": "hashes of random numbers, no reader",
    "/v1/public/certificates/revocations/{kid}": "hashes of random numbers, no reader",
}
# The bytes of these differ from one read to the next although nobody wrote anything.
MOVING = {
    "/v1/me/identification-qr": "drawn anew each second",
    "/v1/me/access-log": "each read of the walk is a row of it",
    "/v1/me/access-log/audit-events": "each read of the walk is a row of it",
    "/v1/me/access-log/export": "each read of the walk is a row of it",
    "/v1/me/access-log/proof": "each read of the walk is a row of it",
    "/v1/me/exports/everything": "the log, the sessions and the signatures' nonces are in it",
    "/v1/doctor/access-requests/{request_id}/display": "drawn anew every half minute",
    "/v1/doctor/access-requests/{request_id}/display.svg": "drawn anew every half minute",
    "/v1/doctor/access-requests/{request_id}/display.png": "drawn anew every half minute",
}
# What shows nothing of a record, with the reason; every other reading route shows a full book's entries.
SILENT = {
    "/v1/me": "the person's own facts",
    "/v1/me/devices": "phones and browsers",
    "/v1/me/numbers": "the person's own numbers",
    "/v1/me/listings": "what lists of the population say of the person: nothing yet",
    "/v1/me/hidings": "what is hidden: nothing yet",
    "/v1/me/visit-safety": "what is kept from the family: nothing yet",
    "/v1/me/identification-qr": "a code of the person",
    "/v1/me/access-reports": "what was reported, in codes",
    "/v1/me/access-requests": "who asks",
    "/v1/me/access-requests/{request_id}": "who asks",
    "/v1/me/grants": "who may read",
    "/v1/me/connected-apps": "which apps may read",
    "/v1/me/disclosures": "what partners were handed, by its groups: nothing yet",
    "/v1/me/share-links": "what was handed out, by its label",
    "/v1/me/share-links/{link_id}/openings": "who opened a link, by their own words",
    "/v1/me/grants/{grant_id}": "who may read",
    "/v1/me/access-log": "who read, by ids alone",
    "/v1/me/access-log/audit-events": "who read, by ids alone",
    "/v1/me/access-log/export": "who read, by ids alone",
    "/v1/me/access-log/proof": "hashes",
    "/v1/me/household": "for whom one acts: nobody (tests/family/test_household.py)",
    "/v1/me/articles": "articles by ICD code, none of whose words are the record's",
    "/v1/me/coverage": "insurance cards: none was sent",
    "/v1/me/referrals": "letters that came with treatment packages: none was sent",
    "/v1/facility/referrals/received": "what stands on the envelope of a letter",
    "/v1/facility/referrals/sent": "what stands on the envelope of a letter",
    "/v1/me/costs": "sums, days and facilities; no word of what was done",
    "/v1/me/encounters/{encounter_id}/costs": "sums of a visit; no word of what was done",
    "/v1/me/completeness": "which parts of a published list are filled, by their names",
    "/v1/me/notifications": "that there is something, never what",
    "/v1/me/cases": "kind and state of a case; no case yet",
    "/v1/me/cases/{case_id}": "no case yet",
    "/v1/me/cases/{case_id}/evidence/{evidence_id}": "the person's own pictures",
    "/v1/me/blocks": "whom the person blocked: nobody",
    "/v1/me/emergency-access": "who broke the glass: nobody",
    "/v1/me/emergency-access/settings": "categories, by their names",
    "/v1/me/emergency-card": "which parts are ticked: none",
    "/v1/me/emergency-card/card.pdf": "off: nothing is ticked",
    "/v1/me/emergency-card/content": "off: nothing is ticked",
    "/v1/me/emergency-contacts": "the person's own contacts",
    "/v1/me/erasure": "whether one waits",
    "/v1/me/family": "who acts for whom",
    "/v1/me/notification-preferences": "the person's own choices",
    "/v1/me/purposes": "what the person agreed to",
    "/v1/me/purposes/{purpose}": "what the person agreed to",
    "/v1/me/rights-requests": "what was asked about one's data",
    "/v1/me/who-can-see-me": "who may read",
    "/v1/me/wishes": "the person's own words, beside the record",
    "/v1/doctor/emergency-access": "the doctor's own openings",
    "/v1/doctor/patients/{patient_id}/wishes": "the person's own words: none said",
    "/v1/facility/units": "units of the facility",
    "/v1/doctor/me": "the doctor",
    "/v1/doctor/access-requests/{request_id}": "the doctor's own question",
    "/v1/doctor/access-requests/{request_id}/display": "the doctor's own question",
    "/v1/doctor/access-requests/{request_id}/display.svg": "the doctor's own question",
    "/v1/doctor/access-requests/{request_id}/display.png": "the doctor's own question",
    "/v1/doctor/grants": "the doctor's own grants",
    "/v1/facility/cases": "cases about this facility: none yet",
    "/v1/facility/cases/{case_id}": "none yet",
    "/v1/facility/cases/{case_id}/evidence/{evidence_id}": "none yet",
    "/v1/facility/entry/records/{entry_id}": "what this facility typed in: nothing",
    "/v1/me/family-history": "relatives' illnesses belong to no visit",
    "/v1/doctor/patients/{patient_id}/family-history": "relatives' illnesses belong to no visit",
    "/v1/me/growth": "a grown person has none",
    "/v1/doctor/patients/{patient_id}/growth": "a grown person has none",
    "/v1/me/growth/{chart}": "a grown person has none",
    "/v1/doctor/patients/{patient_id}/growth/{chart}": "a grown person has none",
    "/v1/me/vaccination/schedule": "days and ids by disease, no word of a sender",
    "/v1/doctor/patients/{patient_id}/vaccination/schedule": "days and ids by disease, no word of a sender",
    "/v1/me/health-checks": "no check was typed in: tests/ehr/health_checks",
    "/v1/doctor/patients/{patient_id}/health-checks": "no check was typed in: tests/ehr/health_checks",
    "/v1/me/health-checks/{check_id}": "no check was typed in",
    "/v1/doctor/patients/{patient_id}/health-checks/{check_id}": "no check was typed in",
    "/v1/me/health-checks/{check_id}/comparison": "no check was typed in",
    "/v1/doctor/patients/{patient_id}/health-checks/{check_id}/comparison": "no check was typed in",
    "/v1/me/pregnancy": "none is followed: tests/ehr/pregnancy",
    "/v1/doctor/patients/{patient_id}/pregnancy": "none is followed: tests/ehr/pregnancy",
    "/v1/me/prescriptions": "no e-prescription was sent: tests/ehr/prescriptions",
    "/v1/doctor/patients/{patient_id}/prescriptions": "no e-prescription was sent: tests/ehr/prescriptions",
    "/v1/me/prescriptions/{prescription_id}": "no e-prescription was sent",
    "/v1/doctor/patients/{patient_id}/prescriptions/{prescription_id}": "no e-prescription was sent",
    "/v1/me/programmes": "followed for nothing: tests/ehr/programmes",
    "/v1/doctor/patients/{patient_id}/programmes": "followed for nothing: tests/ehr/programmes",
    "/v1/me/statements": "nothing was said by the person: tests/ehr/statements",
    "/v1/doctor/patients/{patient_id}/statements": "nothing was said by the person: tests/ehr/statements",
    "/v1/me/prescriptions/{prescription_id}/code": "no e-prescription was sent",
    "/v1/me/statements/choices": "words to choose from",
    "/v1/me/vaccination/reactions": "reports of reactions: none was made",
    "/v1/me/vaccination/reactions/choices": "signs to choose from",
    "/v1/me/vaccination/reactions/{reaction_id}": "none was made",
    "/v1/facility/vaccination/reactions": "reports to this facility: none was made",
    "/v1/facility/vaccination/reactions/{reaction_id}": "none was made",
    "/v1/me/vaccination/choices": "words to choose from",
    "/v1/me/health-cards/{card_id}": "none was made",
    "/v1/me/health-cards/{card_id}/card.smart-health-card": "none was made",
    "/v1/me/health-cards/{card_id}/code.svg": "none was made",
    "/v1/me/health-cards/{card_id}/code.png": "none was made",
    "/v1/me/reminders": "no reminder: tests/reminders",
    "/v1/me/vitals/latest": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/devices": "what measures, no value: tests/vitals/test_devices_api.py",
    "/v1/me/vitals/imports": "files, no value of them: tests/vitals/imports/test_files.py",
    "/v1/me/vitals/imports/{import_id}": "counts and reasons: tests/vitals/imports/test_files.py",
    "/v1/me/vitals/days": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/week": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/agp": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/agp.svg": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/bp-home-average": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/fhir": "nothing was measured: tests/vitals/test_fhir.py",
    "/v1/me/vitals/{kind}": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/{kind}/readings": "nothing was measured: tests/vitals/reads",
    "/v1/me/vitals/{kind}/chart.svg": "nothing was measured: tests/vitals/reads",
    "/v1/doctor/patients/{patient_id}/vitals/latest": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/days": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/week": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/agp": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/agp.svg": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/bp-home-average": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/fhir": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/alerts": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/{kind}": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/{kind}/readings": "no readings: tests/vitals/test_doctor.py",
    "/v1/doctor/patients/{patient_id}/vitals/{kind}/chart.svg": "no readings: tests/vitals/test_doctor.py",
    "/v1/me/alerts": "nothing was measured: tests/vitals/alerts/test_alerts_api.py",
    "/v1/me/alert-rules": "limits: tests/vitals/alerts/test_rules_api.py",
    "/v1/doctor/patients/{patient_id}/alert-rules": "limits: tests/vitals/alerts/test_rules_api.py",
    "/v1/me/reminders/plan": "no reminder: tests/reminders/test_phone.py",
    "/v1/me/reminders/day": "no reminder: tests/reminders/test_day.py",
    "/v1/me/reminders/adherence": "no time came: tests/reminders/test_answers.py",
    "/v1/me/reminders/unanswered": "no time came: tests/reminders/test_missed.py",
    "/v1/me/reminders/kinds": "kinds, on or off",
    "/v1/me/reminders/settings": "meal times",
    "/v1/me/screenings": "rules and the day of the last exam: tests/reminders/test_screening.py",
    "/v1/me/nutrition": "nothing about food: tests/reminders/test_nutrition.py",
    "/v1/me/letters": "letters that came with treatment packages: none was sent",
    "/v1/me/letters/{letter_id}": "none was sent",
    "/v1/me/letters/{letter_id}/letter.pdf": "none was sent",
    "/v1/me/papers": "papers that prove themselves: none was made",
    "/v1/me/papers/{paper_id}": "none was made",
    "/v1/me/papers/{paper_id}/paper.pdf": "none was made",
    "/v1/me/certificates": "no dose against COVID-19: tests/vaccination/certificates",
    "/v1/me/certificates/{certificate_id}/text": "none was issued",
    "/v1/me/certificates/{certificate_id}/code.svg": "none was issued",
    "/v1/me/certificates/{certificate_id}/code.png": "none was issued",
    "/v1/me/certificates/{certificate_id}/certificate.pdf": "none was issued",
    "/v1/facility/vaccination-confirmations": "no late dose was asked about",
    "/v1/me/consultations": "the person's own questions: none asked",
    "/v1/me/consultations/{consultation_id}": "none asked",
    "/v1/me/consultations/{consultation_id}/pictures/{picture_id}": "none asked",
    "/v1/me/vaccination-campaigns": "campaigns of facilities: none was made",
    "/v1/me/vaccination-campaigns/{campaign_id}": "none was made",
    "/v1/me/vaccination-registrations": "registered for nothing: tests/vaccination/registration",
    "/v1/me/vaccination-registrations/{registration_id}": "registered for nothing",
    "/v1/facility/vaccination-campaigns": "campaigns of this facility: none was made",
    "/v1/facility/vaccination-campaigns/{campaign_id}": "none was made",
    "/v1/facility/vaccination-registrations": "nobody is registered",
    "/v1/facility/vaccination-registrations/{registration_id}": "nobody is registered",
    "/v1/me/declaration-forms": "forms of facilities: none is out",
    "/v1/me/declaration-forms/{form_id}": "none is out",
    "/v1/me/declarations": "nothing was declared: tests/visits/declarations",
    "/v1/me/declarations/{declaration_id}": "nothing was declared",
    "/v1/facility/visits/{visit_id}/declarations": "nothing was declared",
    "/v1/me/facilities/{facility_id}/schedules": "schedules of facilities: none was made",
    "/v1/me/facilities/{facility_id}/schedules/{schedule_id}": "none was made",
    "/v1/me/check-ins": "where the person was: tests/visits/check_ins",
    "/v1/facility/counters": "counters of this facility: none was opened",
    "/v1/facility/counters/{counter_id}/line": "numbers that name nobody",
    "/v1/facility/counters/{counter_id}/poster.pdf": "a code of the counter",
    "/v1/facility/counters/{counter_id}/screen": "a code of the counter",
    "/v1/me/appointments": "nothing was booked: tests/visits/booking",
    "/v1/me/appointments/{appointment_id}": "nothing was booked",
    "/v1/me/appointments/{appointment_id}/calendar.ics": "nothing was booked",
    "/v1/facility/schedules": "schedules of this facility: none was made",
    "/v1/facility/schedules/{schedule_id}": "none was made",
    "/v1/facility/appointments": "nobody booked",
    "/v1/facilities": "names of facilities",
    "/v1/facilities/{facility_id}": "what the directory says of a facility",
    "/v1/specialties": "the list of specialties",
    "/v1/places/{level}": "administrative units: none was imported",
    "/v1/places/{level}/{code}": "administrative units: none was imported",
    "/v1/facility/departments": "a facility's own departments",
    "/v1/facility/staff": "who works at a facility",
    "/v1/facility/register-changes": "changes of the register: none waits",
    "/v1/facility/systems": "machines of a facility",
    "/v1/facility/consultations": "questions to this facility: none asked",
    "/v1/facility/consultations/{consultation_id}": "none asked",
    "/v1/facility/consultations/{consultation_id}/pictures/{picture_id}": "none asked",
    "/v1/facility/health-checks/forms": "empty forms",
    "/v1/facility/health-checks/session": "the columns of a file",
    "/v1/facility/health-checks/session/{file_id}": "files of this facility: none sent",
    "/v1/facility/health-checks/{check_id}": "no check was typed in",
    "/v1/facility/programmes/due": "whom this facility follows: nobody",
    "/v1/facility/programmes/due.csv": "whom this facility follows: nobody",
    "/v1/facility/programmes/enrolments/{enrolment_id}": "whom this facility follows: nobody",
    "/v1/facility/programmes/reports": "files of this facility: none sent",
    "/v1/facility/programmes/reports/{file_id}": "files of this facility: none sent",
    "/v1/me/imaging-studies/{study_id}/viewer-tickets": "a ticket, and no word of where it leads",
    "/v1/doctor/patients/{patient_id}/imaging-studies/{study_id}/viewer-tickets": "a ticket",
}
EXPORTS = {"ips": "ips", "bundle": "bundle", "book.pdf": "book", "everything": "everything"}
QUERY = {"since": "2026-01-01", "until": "2026-12-31"}
PAGES_MAX = 50
UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Walker:
    """Somebody who reads. word: as in docs/roles.md; person: whose phone signs the exports of the own book;
    patients: whose books are tried by a doctor; known: values of the path's parameters."""

    client: httpx.AsyncClient
    clock: FrozenClock
    word: str
    token: str
    person: Citizen | None = None
    patients: list[UUID] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)
    words: tuple[str, ...] = ("zzqx",)
    codes: tuple[str, ...] = ("SHARED",)


@dataclass(frozen=True)
class Seen:
    """One answer: as it came, and what stands in it. route is the path with its parameters unfilled."""

    route: str
    asked: str
    status: int
    body: bytes
    text: str


def reading_routes(word: str) -> list[Route]:
    """The GETs that this kind of reader may send, without what is left out."""
    return [
        route
        for route in routes(demo=False)
        if route.method == "GET" and word in route.actors and route.path not in LEFT_OUT
    ]


def showing_routes(word: str) -> set[str]:
    """The routes on which this reader sees what a book holds."""
    paths = {route.path for route in reading_routes(word)} - set(SILENT)
    return paths | ({"/v1/viewer/{ticket}"} if word in ("citizen", "doctor") else set())


async def walk(walker: Walker) -> list[Seen]:
    """Every page of every GET, and the viewer's address of every study."""
    seen: list[Seen] = []
    for route in reading_routes(walker.word):
        for path in filled(walker, route.path):
            for query in queries(walker, route):
                seen += [page async for page in pages(walker, route, path, query)]
    return seen + [page async for page in viewers(walker)]


def filled(walker: Walker, path: str) -> Iterator[str]:
    """The path once for each combination of known values; with an id of nobody where none is known."""
    named = re.search(r"\{(\w+)\}", path)
    if named is None:
        yield path
        return
    values = [str(one) for one in walker.patients] if named[1] == "patient_id" else walker.known.get(named[1])
    for value in values or [SOME_ID]:
        yield from filled(walker, path.replace(named[0], value, 1))


def queries(walker: Walker, route: Route) -> list[dict[str, str]]:
    asked = {name: QUERY[name] for name in route.query if name in QUERY}
    if "q" in route.query:
        return [asked | {"q": word} for word in walker.words]
    if "code" in route.query:
        return [asked | {"code": code} for code in walker.codes]
    return [asked]


async def pages(walker: Walker, route: Route, path: str, query: dict[str, str]) -> AsyncIterator[Seen]:
    for _ in range(PAGES_MAX):
        headers = bearer(walker.token)
        if walker.person is not None and path.startswith("/v1/me/exports/"):
            headers |= step_up(walker.person, EXPORTS[path.rpartition("/")[2]], walker.clock.now())
        answer = await walker.client.get(path, params=query, headers=headers)
        yield seen_of(route.path, f"{path} {query}", answer)
        more = next_page(answer)
        if more is None:
            return
        query = query | more


def next_page(answer: httpx.Response) -> dict[str, str] | None:
    kind = answer.headers.get("content-type", "")
    if "json" not in kind or "ndjson" in kind or not answer.is_success:
        return None
    body = answer.json()
    if not isinstance(body, dict):
        return None
    if body.get("has_more"):
        return {"since": body["cursor"]}
    return {"cursor": body["next"]} if body.get("next") else None


async def viewers(walker: Walker) -> AsyncIterator[Seen]:
    """A ticket for each known study, and where it leads."""
    base = {"citizen": "/v1/me", "doctor": "/v1/doctor/patients/{patient_id}"}.get(walker.word)
    route = f"{base}/imaging-studies/{{study_id}}/viewer-tickets"
    for path in filled(walker, route) if base and walker.known.get("study_id") else ():
        made = await walker.client.post(path, headers=bearer(walker.token))
        # The ticket itself is drawn by lot.
        yield Seen(route, path, made.status_code, b"", "" if made.is_success else made.text)
        if made.is_success:
            opened = await walker.client.get(made.json()["path"])
            where = opened.headers.get("location", "")
            yield Seen("/v1/viewer/{ticket}", path, opened.status_code, where.encode(), where)


def seen_of(route: str, asked: str, answer: httpx.Response) -> Seen:
    return Seen(route, asked, answer.status_code, answer.content, text_of(answer.content))


def text_of(body: bytes) -> str:
    """What stands in a body: a PDF's pages and facts, an archive's files, attachments of a FHIR document
    opened."""
    if body.startswith(b"%PDF"):
        reader = PdfReader(io.BytesIO(body))
        return "\n".join([*(page.extract_text() for page in reader.pages), str(reader.metadata)])
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    text = body.decode("utf-8", "replace")
    try:
        return "\n".join([text, *attachments(json.loads(text))])
    except ValueError:
        return text


def attachments(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from attachments(one)
    if isinstance(node, dict):
        if isinstance(node.get("data"), str):
            with suppress(binascii.Error, ValueError):
                yield base64.b64decode(node["data"], validate=True).decode("utf-8", "replace")
        for one in node.values():
            yield from attachments(one)


def telling(seen: list[Seen], *marks: str) -> set[str]:
    """The routes in whose answers one of the marks stands, whatever the case."""
    return {one.route for one in seen for mark in marks if mark.lower() in one.text.lower()}


def answered(seen: list[Seen]) -> dict[str, set[int]]:
    """The statuses of each route."""
    found: dict[str, set[int]] = {}
    for one in seen:
        found.setdefault(one.route, set()).add(one.status)
    return found


def still(seen: list[Seen]) -> list[tuple[str, int, str]]:
    """What must be equal between two walks in which nothing changed: every byte, of papers every word.

    A FHIR document gives itself and its parts new ids each time; they count by their order.
    """
    return [
        (one.asked, one.status, renumbered(one.text) if '"resourceType":"Bundle"' in one.text else one.text)
        for one in seen
        if one.route not in MOVING
    ]


def renumbered(text: str) -> str:
    order: dict[str, int] = {}
    return UUID_7.sub(lambda found: f"#{order.setdefault(found[0], len(order))}", text)
