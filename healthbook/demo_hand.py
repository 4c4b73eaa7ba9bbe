"""`healthbook as WHO …`: the API by hand, as anybody of the demo's sheet. It speaks HTTP like an app.

A citizen's session is renewed by the demo phone's refresh key, staff sign in with password and TOTP,
machines with their secret. What was signed in stays beside the data, readable by its owner only.
"""

import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import rfc8785
from msgspec import Struct

from consent.transfer import counter_of
from healthbook.demo_devices import DemoPhone
from healthbook.demo_sheet import (
    DemoCitizen,
    DemoClient,
    DemoOperator,
    DemoPractitioner,
    DemoSheet,
    load_sheet,
)
from healthbook.settings import Settings
from identity.hotp import hotp_at
from identity.practitioners import totp_at
from identity.sessions import refresh_text
from identity.tokens import to_base64url
from kernel.problems import Refused
from qr import tokens
from store.keys import KeyRing

SHEET = "demo.json"
RENEW_BEFORE_SECONDS = 30
ACT_LIFE_SECONDS = 120
EXPORTS = "/v1/me/exports/"

Person = DemoCitizen | DemoPractitioner | DemoOperator | DemoClient


class HandError(Exception):
    """What was asked cannot be done; the text says why."""


class HeldSession(Struct):
    """What is kept between two calls. until: epoch seconds of the access token's end."""

    access_token: str = ""
    refresh_token: str = ""
    until: float = 0


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


class Hand:
    """One person of the sheet, signed in at a running server."""

    def __init__(self, sheet: DemoSheet, who: str, sessions: Path) -> None:
        self.person = find(sheet, who)
        self._path = sessions / f"{who}.json"
        self._http = httpx.Client(base_url=sheet.base_url, timeout=30)
        self._held = self._load()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """One signed-in request."""
        if self._held.until < time.time() + RENEW_BEFORE_SECONDS:
            self._sign_in()
        token = {"Authorization": f"Bearer {self._held.access_token}"}
        return self._http.request(method, path, json=body, headers=token | (headers or {}))

    def approve(self, request_id: str, tier: str, secret: str, narrower: dict[str, Any]) -> httpx.Response:
        """Answer an access request as the app does: the choice, signed by the phone's step-up key."""
        phone, citizen = self._phone()
        answer = self.ask("GET", f"/v1/me/access-requests/{request_id}")
        if answer.is_error:
            return answer
        request = answer.json()
        names = ("types", "since", "until", "duration_seconds")
        choice = {name: request[name] for name in names} | narrower | {"labels": []}
        signed = _act_facts()
        text = {
            "typ": "consent-approve",
            "environment": request["environment"],
            "patient_id": citizen.patient_id,
            "device_id": citizen.device.device_id,
            "request_id": request_id,
            "tier": tier,
            "secret": secret,
            **signed,
            **{name: request[name] for name in ("doctor", "licence", "facility", "purpose")},
            **choice,
            "types": sorted(choice["types"]),
        }
        signature = phone.sign_act(rfc8785.dumps(text))
        body = {"tier": tier, "secret": secret, **choice, "signed": {**signed, "signature": signature}}
        return self.ask("POST", f"/v1/me/access-requests/{request_id}/approve", body)

    def fetch(self, path: str) -> httpx.Response:
        """A file. A person's own export is signed by the phone's step-up key."""
        if not path.startswith(EXPORTS):
            return self.ask("GET", path)
        phone, citizen = self._phone()
        facts = _act_facts()
        text = {
            "typ": "export-record",
            # The sheet exists in a demo alone.
            "environment": "demo",
            "patient_id": citizen.patient_id,
            "device_id": citizen.device.device_id,
            "export": path.removeprefix(EXPORTS).removesuffix(".pdf"),
            **facts,
        }
        act = {**facts, "signature": phone.sign_act(rfc8785.dumps(text))}
        return self.ask("GET", path, headers={"X-Step-Up": to_base64url(msgspec.json.encode(act))})

    def nonce_of(self, qr: str) -> str:
        """Tier A: the secret of the doctor's code, once the server agrees that it is one."""
        answer = self.ask("POST", "/v1/me/access-requests/scan", {"qr": qr})
        if answer.is_error:
            raise HandError(answer.text)
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

    def _sign_in(self) -> None:
        path, body = self._credentials()
        answer = self._http.post(path, json=body)
        if answer.is_error:
            raise HandError(f"sign-in refused: {answer.text}")
        got = answer.json()
        self._held = HeldSession(
            access_token=got["access_token"],
            refresh_token=got.get("refresh_token") or "",
            until=time.time() + min(got["expires_in_seconds"], 14 * 60),
        )
        self._save()

    def _credentials(self) -> tuple[str, dict[str, Any]]:
        person = self.person
        if isinstance(person, DemoCitizen):
            phone, _ = self._phone()
            token, issued_at = self._held.refresh_token or person.device.refresh_token, int(time.time())
            signature = phone.sign_refresh(refresh_text(token, issued_at))
            return "/v1/auth/refresh", {"refresh_token": token, "iat": issued_at, "signature": signature}
        if isinstance(person, DemoPractitioner | DemoOperator):
            totp = totp_at(person.totp_secret, datetime.now(UTC))
            body = {"username": person.username, "password": person.password, "totp": totp}
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
) -> str:
    """One command; the text to print. Raises HandError."""
    path = settings.data / SHEET
    if not path.exists():
        raise HandError("There is no demo here; `healthbook demo` makes one.")
    hand = Hand(load_sheet(path).at(settings.base_url), who, settings.data / "sessions")
    try:
        if verb == "read-back":
            return hand.read_back(KeyRing.load(settings.keys), target)
        if verb == "save":
            return _save(hand.fetch(target), Path(body or Path(target).name))
        if verb == "approve":
            return shown(_approve(hand, target, choice))
        return shown(hand.ask(verb, target, json.loads(body) if body else None))
    except httpx.ConnectError as error:
        raise HandError(f"Nobody answers at {settings.base_url}; `make run` starts the service.") from error
    except json.JSONDecodeError as error:
        raise HandError(f"The body is not JSON: {error}.") from error


def _approve(hand: Hand, request_id: str, choice: dict[str, Any]) -> httpx.Response:
    narrower: dict[str, Any] = {}
    if choice["hours"]:
        narrower["duration_seconds"] = choice["hours"] * 3600
    if choice["types"]:
        narrower["types"] = choice["types"].split(",")
    if choice["qr"]:
        return hand.approve(request_id, "A", hand.nonce_of(choice["qr"]), narrower)
    if choice["digits"]:
        return hand.approve(request_id, "B", choice["digits"], narrower)
    raise HandError("approve needs what the doctor's screen shows: --digits or --qr.")


def _save(answer: httpx.Response, path: Path) -> str:
    if answer.is_error:
        return shown(answer)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(answer.content)
    return f"{len(answer.content)} bytes in {path}"


def shown(answer: httpx.Response) -> str:
    """An answer for the terminal: the status, then the JSON, indented."""
    head = f"{answer.status_code} {answer.reason_phrase}"
    if not answer.content:
        return head
    return f"{head}\n{json.dumps(answer.json(), ensure_ascii=False, indent=2)}"


def _act_facts() -> dict[str, Any]:
    now = int(time.time())
    return {"nonce": to_base64url(secrets.token_bytes(16)), "iat": now, "exp": now + ACT_LIFE_SECONDS}
