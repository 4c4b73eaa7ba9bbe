"""`healthbook as WHO …`: the API by hand, as anybody of the demo's sheet. It speaks HTTP like an app.

A citizen's session is renewed by the demo phone's refresh key, staff sign in with password and TOTP,
machines with their secret. What was signed in stays beside the data, readable by its owner only. A session
that ended (a restored backup, a sign-out) is opened anew: a phone's with the letters of the demo's inbox, the
PIN and the keys that it has, so it stays the same device.
"""

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import rfc8785
from msgspec import Struct

from consent.transfer import counter_of
from healthbook.demo_acts import HandError, act_at, in_order
from healthbook.demo_bodies import Sent, body_of
from healthbook.demo_client_hand import ClientHand
from healthbook.demo_devices import DemoPhone
from healthbook.demo_sheet import (
    DemoAppClient,
    DemoCitizen,
    DemoClient,
    DemoOperator,
    DemoPractitioner,
    DemoSheet,
    load_sheet,
)
from healthbook.settings import Settings
from identity.hotp import hotp_at
from identity.practitioners import TOTP_SECONDS, totp_at
from identity.sessions import refresh_text
from identity.tokens import to_base64url
from kernel.problems import Refused
from qr import tokens
from store.keys import KeyRing

SHEET = "demo.json"
RENEW_BEFORE_SECONDS = 30
ACT_LIFE_SECONDS = 120
SMS_SECONDS_MAX = 20
EXPORTS = "/v1/me/exports/"
CARD_PDF = "/v1/me/emergency-card/card.pdf"
BODILESS = ("save", "read-back", "totp")
CLIENT_VERBS = ("connect", "redeem")
# The sheet exists in a demo alone.
ENVIRONMENT = "demo"

Person = DemoCitizen | DemoPractitioner | DemoOperator | DemoClient


class Shown(Struct, frozen=True):
    """What a terminal gets. is_refused: the service answered with a problem."""

    text: str
    is_refused: bool = False


class HeldSession(Struct):
    """What is kept between two calls. until: epoch seconds of the access token's end. device_id: of a citizen
    who signed in again. totp_step: of the last one-time password that was shown or sent."""

    access_token: str = ""
    refresh_token: str = ""
    until: float = 0
    device_id: str = ""
    totp_step: int = 0


def find(sheet: DemoSheet, who: str) -> Person:
    """A citizen by key or number, staff and operators by user name, a machine by client id."""
    for citizen in sheet.citizens:
        if who in {citizen.key, citizen.number}:
            return citizen
    for staff in (*sheet.practitioners, *sheet.desk_staff, *sheet.administrators):
        if who == staff.username:
            return staff
    for operator in sheet.operators:
        if who == operator.username:
            return operator
    for client in (*sheet.facility_systems, *sheet.kiosks):
        if who == client.client_id:
            return client
    raise HandError(f"{who} is nobody of the demo's sheet; `healthbook demo --json` lists everybody.")


@contextmanager
def own_turn(sessions: Path, who: str) -> Iterator[None]:
    """One process at a time has this person's session: a refresh token serves once."""
    sessions.mkdir(mode=0o700, exist_ok=True)
    with open(os.open(sessions / f"{who}.lock", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Hand:
    """One person of the sheet, signed in at a running server. book: for whom (X-Patient-Id)."""

    def __init__(self, sheet: DemoSheet, who: str, sessions: Path, book: str | None = None) -> None:
        self.person = find(sheet, who)
        self._book = book
        self._path = sessions / f"{who}.json"
        self._http = httpx.Client(base_url=sheet.base_url, timeout=30)
        self._held = self._load()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One signed-in request; a session that ended is opened anew, once."""
        self._be_signed_in()
        answer = self._send(method, path, body, headers or {})
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._held = HeldSession(device_id=self._held.device_id, totp_step=self._held.totp_step)
            self._sign_in()
            answer = self._send(method, path, body, headers or {})
        return answer

    def sign(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """A request that the phone's step-up key signs: the route says what the text names."""
        act, named = act_at(path)
        facts = act.facts(self._show, named, body)
        common = _act_facts()
        if act.with_nonce is not None:
            facts |= act.with_nonce(body, common["nonce"])
        signed = self._signed(act.typ, facts, common)
        if act.typ == "share-code" and body["unlock"] == "biometric" and body["labels"]:
            nonce = signed["nonce"]
            labels = [(one, {"label": one, "act": nonce}) for one in facts["labels"]]
            body["label_signatures"] = self._labels("share-code-label", labels)
        return self.ask(act.method, path, signed if act.is_bare else body | {"signed": signed})

    def approve(self, request_id: str, tier: str, secret: str, narrower: dict[str, Any]) -> httpx.Response:
        """Answer an access request as the app does: the choice, signed by the phone's step-up key.

        narrower: what differs from the request; `assent` where it is for a child.
        """
        answer = self.ask("GET", f"/v1/me/access-requests/{request_id}")
        if answer.is_error:
            return answer
        request = answer.json()
        assent = narrower.pop("assent", False)
        names = ("types", "since", "until", "duration_seconds")
        choice = {name: request[name] for name in names} | {"labels": []} | narrower
        facts = {
            "request_id": request_id,
            "tier": tier,
            "secret": secret,
            **{name: request[name] for name in ("doctor", "licence", "facility", "purpose")},
            **choice,
            "types": sorted(choice["types"]),
        } | ({"assent": assent} if self._book else {})
        body: dict[str, Any] = {"tier": tier, "secret": secret, **choice, "assent": assent}
        if tier == "A" and choice["labels"]:
            labels = [(one, {"request_id": request_id, "label": one}) for one in choice["labels"]]
            body["label_signatures"] = self._labels("consent-label", labels)
        body["signed"] = self._signed("consent-approve", facts)
        return self.ask("POST", f"/v1/me/access-requests/{request_id}/approve", body)

    def fetch(self, path: str) -> httpx.Response:
        """A file. What a person takes out of the own book is signed by the phone's step-up key."""
        if not path.startswith(EXPORTS) and path != CARD_PDF:
            return self.ask("GET", path)
        part = "emergency-card" if path == CARD_PDF else path.removeprefix(EXPORTS).removesuffix(".pdf")
        act = self._signed("export-record", {"export": part})
        return self.ask("GET", path, headers={"X-Step-Up": to_base64url(msgspec.json.encode(act))})

    def totp(self) -> str:
        """A one-time password that still works. Each works once, so the sign-in takes its own before; the
        service takes the next one half a minute early, and whoever wants more waits here."""
        if not isinstance(self.person, DemoPractitioner | DemoOperator):
            raise HandError("Only staff and operators have an authenticator.")
        self._be_signed_in()
        return self._next_totp(self.person)

    def nonce_of(self, qr: str) -> str:
        """Tier A: the secret of the doctor's code, once the server agrees that it is one."""
        answer = self.ask("POST", "/v1/me/access-requests/scan", {"qr": qr})
        if answer.is_error:
            raise HandError(_why(answer))
        nonce: str = answer.json()["nonce"]
        return nonce

    def read_back(self, keys: KeyRing, qr: str) -> str:
        """Tier C, without a network: the eight digits over the doctor's code, checked with the pinned key."""
        _, citizen = self._phone()
        body = tokens.read(keys, "doctor-request", qr, datetime.now(UTC))
        if isinstance(body, Refused):
            raise HandError(body.problem.en)
        return hotp_at(citizen.device.hotp_secret, counter_of(rfc8785.dumps(body)))

    def _phone(self) -> tuple[DemoPhone, DemoCitizen]:
        if not isinstance(self.person, DemoCitizen):
            raise HandError("Only a citizen's phone does that.")
        return DemoPhone(self.person.device.refresh_key, self.person.device.step_up_key), self.person

    def _signed(self, typ: str, facts: dict[str, Any], act: dict[str, Any] | None = None) -> dict[str, Any]:
        """`{nonce, iat, exp, signature}` over the common members and the facts of an act."""
        phone, citizen = self._phone()
        act = act or _act_facts()
        common = {
            "typ": typ,
            "environment": ENVIRONMENT,
            "patient_id": citizen.patient_id,
            "device_id": self._held.device_id or citizen.device.device_id,
        }
        book = {"book": self._book} if self._book else {}
        return {**act, "signature": phone.sign_act(rfc8785.dumps({**common, **book, **act, **facts}))}

    def _labels(self, typ: str, labels: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        return [{"label": label, "signed": self._signed(typ, facts)} for label, facts in labels]

    def _show(self, path: str, sent: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the service shows, for a text that names it. sent: of a question that is a body."""
        answer = self.ask("GET" if sent is None else "POST", path, sent)
        if answer.is_error:
            raise HandError(_why(answer))
        shown: dict[str, Any] = answer.json()
        return shown

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        named = {"Authorization": f"Bearer {self._held.access_token}"}
        if self._book:
            named["X-Patient-Id"] = self._book
        if isinstance(body, Sent):
            named["Content-Type"] = body.media_type
            return self._http.request(method, path, content=body.content, headers=named | headers)
        return self._http.request(method, path, json=body, headers=named | headers)

    def _be_signed_in(self) -> None:
        if self._held.until < time.time() + RENEW_BEFORE_SECONDS:
            self._sign_in()

    def _next_totp(self, person: DemoPractitioner | DemoOperator) -> str:
        step = max(int(time.time()) // TOTP_SECONDS, self._held.totp_step + 1)
        while step > int(time.time()) // TOTP_SECONDS + 1:
            time.sleep(1)
        self._held.totp_step = step
        self._save()
        return totp_at(person.totp_secret, datetime.fromtimestamp(step * TOTP_SECONDS, UTC))

    def _sign_in(self) -> None:
        path, body = self._credentials()
        answer = self._http.post(path, json=body)
        if answer.is_error and isinstance(self.person, DemoCitizen):
            answer = self._sign_in_anew(self.person)
        if answer.is_error:
            raise HandError(f"Sign-in refused. {_why(answer)}")
        got = answer.json()
        self._held = HeldSession(
            access_token=got["access_token"],
            refresh_token=got.get("refresh_token") or "",
            until=time.time() + min(got["expires_in_seconds"], 14 * 60),
            device_id=got.get("device_id") or self._held.device_id,
            totp_step=self._held.totp_step,
        )
        self._save()

    def _sign_in_anew(self, citizen: DemoCitizen) -> httpx.Response:
        """The letters of the SMS, the PIN and the two keys that the phone has: it stays the same device."""
        seen = {one["delivery_id"] for one in self._inbox()}
        started = self._http.post("/v1/auth/sign-in/start", json={"kind": "number", "value": citizen.number})
        if started.is_error:
            return started
        challenge_id = started.json()["challenge_id"]
        device = DemoPhone(citizen.device.refresh_key, citizen.device.step_up_key).enrolment(challenge_id)
        body = {
            "challenge_id": challenge_id,
            "code": self._letters(citizen, seen),
            "pin": citizen.pin,
            "device": msgspec.to_builtins(device),
        }
        return self._http.post("/v1/auth/sign-in/verify", json=body)

    def _letters(self, citizen: DemoCitizen, seen: set[str]) -> str:
        """The code of the SMS that comes now. Raises HandError when none comes."""
        until = time.monotonic() + SMS_SECONDS_MAX
        while time.monotonic() < until:
            for one in self._inbox():
                is_his = one["patient_id"] == citizen.patient_id and one["delivery_id"] not in seen
                if is_his and re.fullmatch("[A-Z]{6}", one.get("code") or ""):
                    return str(one["code"])
            time.sleep(0.2)
        raise HandError(f"No SMS came to {citizen.phone}; look at /demo/inbox.")

    def _inbox(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._http.get("/demo/inbox.json").json()["items"]
        return items

    def _credentials(self) -> tuple[str, dict[str, Any]]:
        person = self.person
        if isinstance(person, DemoCitizen):
            phone, _ = self._phone()
            token, issued_at = self._held.refresh_token or person.device.refresh_token, int(time.time())
            signature = phone.sign_refresh(refresh_text(token, issued_at))
            return "/v1/auth/refresh", {"refresh_token": token, "iat": issued_at, "signature": signature}
        if isinstance(person, DemoPractitioner | DemoOperator):
            body = {"username": person.username, "password": person.password}
            body["totp"] = self._next_totp(person)
            kind = "operator" if isinstance(person, DemoOperator) else "practitioner"
            return f"/v1/auth/{kind}/sign-in", body
        return "/v1/auth/token", {
            "grant_type": "client_credentials",
            "client_id": person.client_id,
            "client_secret": person.client_secret,
        }

    def _load(self) -> HeldSession:
        if not self._path.exists():
            return HeldSession()
        return msgspec.json.decode(self._path.read_bytes(), type=HeldSession)

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self._held))


def act(
    settings: Settings, who: str, verb: str, target: str, body: str | None, choice: dict[str, Any]
) -> Shown:
    """One command; what to print. Raises HandError."""
    path = settings.data / SHEET
    if not path.exists():
        raise HandError("There is no demo here; `healthbook demo` makes one.")
    sheet = load_sheet(path).at(settings.base_url)
    client = next((one for one in sheet.app_clients if who in {one.key, one.client_id}), None)
    if client is not None:
        return _act_as_client(settings, sheet, client, verb, target, body, choice)
    if verb in CLIENT_VERBS:
        raise HandError(f"Only a partner or an app does that; {who} is none of the sheet's.")
    sent = None if verb in BODILESS else body_of(verb, body, choice)
    find(sheet, who)
    sessions = settings.data / "sessions"
    try:
        with own_turn(sessions, who):
            hand = Hand(sheet, who, sessions, _book(sheet, choice["book"]))
            return _done(hand, settings.keys, verb, target, body, sent, choice)
    except httpx.ConnectError as error:
        raise HandError(f"Nobody answers at {settings.base_url}; `make run` starts the service.") from error


def _done(
    hand: Hand, keys: Path, verb: str, target: str, body: str | None, sent: Any, choice: dict[str, Any]
) -> Shown:
    if verb in ("totp", "read-back"):
        return Shown(hand.totp() if verb == "totp" else hand.read_back(KeyRing.load(keys), target))
    if verb == "save":
        return _save(hand.fetch(target), Path(body or Path(target.partition("?")[0]).name))
    if verb == "approve":
        return shown(_approve(hand, target, choice))
    if verb == "sign":
        return shown(hand.sign(target, {} if sent is None else sent))
    named = {"Idempotency-Key": choice["key"]} if choice["key"] else {}
    return shown(hand.ask(verb, target, sent, named))


def _act_as_client(
    settings: Settings,
    sheet: DemoSheet,
    client: DemoAppClient,
    verb: str,
    target: str,
    body: str | None,
    choice: dict[str, Any],
) -> Shown:
    hand = ClientHand(client, settings.base_url, settings.origin, settings.data / "sessions")
    try:
        if verb == "connect":
            return Shown(hand.connect(target, _number(sheet, choice["book"])))
        if verb == "redeem":
            return shown(hand.redeem(target))
        if not verb.isupper():
            raise HandError(f"{client.name} holds no phone; it has connect, redeem, and requests.")
        return shown(hand.ask(verb, target, body_of(verb, body, choice)))
    except httpx.ConnectError as error:
        raise HandError(f"Nobody answers at {settings.base_url}; `make run` starts the service.") from error


def _number(sheet: DemoSheet, whom: str | None) -> str | None:
    """The number of whom a partner means. Raises HandError for nobody of the sheet."""
    if whom is None:
        return None
    for one in sheet.citizens:
        if whom in {one.key, one.number}:
            return one.number
    raise HandError(f"{whom} is no citizen of the demo's sheet; `healthbook demo --json` lists everybody.")


def _book(sheet: DemoSheet, whose: str | None) -> str | None:
    """The patient_id of somebody of the sheet, or what was given."""
    everybody = {one.key: one.patient_id for one in sheet.citizens}
    everybody |= {one.key: one.patient_id for one in sheet.children}
    everybody |= {one.key: one.patient_id for one in sheet.elders}
    everybody |= {one.key: one.patient_id for one in sheet.unlinked_children}
    return everybody.get(whose, whose) if whose else None


def _approve(hand: Hand, request_id: str, choice: dict[str, Any]) -> httpx.Response:
    narrower: dict[str, Any] = {"assent": choice["assent"]}
    if choice["hours"]:
        narrower["duration_seconds"] = choice["hours"] * 3600
    if choice["types"]:
        narrower["types"] = choice["types"].split(",")
    if choice["labels"]:
        narrower["labels"] = in_order(choice["labels"].split(","))
    if choice["qr"]:
        return hand.approve(request_id, "A", hand.nonce_of(choice["qr"]), narrower)
    if choice["digits"]:
        return hand.approve(request_id, "B", choice["digits"], narrower)
    raise HandError("approve needs what the doctor's screen shows: --digits or --qr.")


def _save(answer: httpx.Response, path: Path) -> Shown:
    if answer.is_error:
        return shown(answer)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(answer.content)
    return Shown(f"{len(answer.content)} bytes in {path}")


def shown(answer: httpx.Response) -> Shown:
    """An answer for the terminal: the status, then the JSON, indented; other text as it is."""
    head = f"{answer.status_code} {answer.reason_phrase}"
    if not answer.content:
        return Shown(head, answer.is_error)
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind and "ndjson" not in kind:
        text = json.dumps(answer.json(), ensure_ascii=False, indent=2)
    elif kind.startswith("text/") or "ndjson" in kind:
        text = answer.text
    else:
        text = f"{len(answer.content)} bytes of {kind}; `save` writes them to a file."
    return Shown(f"{head}\n{text}", answer.is_error)


def _why(answer: httpx.Response) -> str:
    """A problem in one line: its code, what happened, and what to do next."""
    try:
        problem = answer.json()
        return f"{problem['code']}: {problem['title_en']}. {problem['detail_en']}".replace("..", ".")
    except (ValueError, KeyError):
        return f"{answer.status_code} {answer.reason_phrase}"


def _act_facts() -> dict[str, Any]:
    now = int(time.time())
    return {"nonce": to_base64url(secrets.token_bytes(16)), "iat": now, "exp": now + ACT_LIFE_SECONDS}
