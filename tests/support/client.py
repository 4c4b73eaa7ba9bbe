"""A small typed client of the HTTP API: an app, a doctor's screen, a desk, a facility's system.

It speaks to a real server over a socket and knows nothing of the server's insides, save the texts
that devices sign.
"""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pyotp
import rfc8785

from healthbook.demo_sheet import DemoCitizen, DemoClient, DemoPractitioner
from identity.sessions import refresh_text
from qr import base45
from tests.support.phone import DeviceKey, Phone, base64url

SIGNATURE_BYTES = 64
RENEW_SECONDS = 8 * 60


class UnexpectedAnswerError(AssertionError):
    """The server answered with another status than the step expects."""


class Api:
    """Requests with an expected status; the answer's JSON comes back."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = httpx.Client(base_url=base_url, timeout=30)

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        all_headers = dict(headers or {})
        if token is not None:
            all_headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, bytes):
            return self.http.request(method, path, content=body, headers=all_headers)
        return self.http.request(method, path, json=body, headers=all_headers)

    def ask(self, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        """The JSON of an answer with that status; a problem's code when it is a refusal."""
        response = self.send(method, path, **options)
        if response.status_code != expect:
            raise UnexpectedAnswerError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        if expect >= 400:
            assert response.headers["content-type"].startswith("application/problem+json")
            return response.json()["code"]
        return response.json() if response.content else None


@dataclass
class App:
    """A citizen's app on one phone."""

    api: Api
    phone: Phone
    access_token: str = ""
    refresh_token: str = field(default="", repr=False)
    renewed_at: float = field(default_factory=time.monotonic)

    @classmethod
    def of_sheet(cls, api: Api, citizen: DemoCitizen) -> "App":
        """The demo phone: its keys from the sheet, its session from the sheet's refresh token."""
        phone = Phone()
        phone.refresh_key = DeviceKey.from_jwk(citizen.device.refresh_key)
        phone.step_up_key = DeviceKey.from_jwk(citizen.device.step_up_key)
        phone.patient_id, phone.device_id = UUID(citizen.patient_id), UUID(citizen.device.device_id)
        phone.hotp_secret = unpadded(citizen.device.hotp_secret)
        app = cls(api, phone, refresh_token=citizen.device.refresh_token)
        app.refresh()
        return app

    @classmethod
    def activated(cls, api: Api, code: str, number: str, pin: str) -> "App":
        """A new phone of that number that redeems an activation code."""
        app = cls(api, Phone())
        device = msgspec.to_builtins(app.phone.new_device(code))
        body = {"code": code, "phone": number, "pin": pin, "device": device}
        app._signed_in(api.ask("POST", "/v1/auth/activations", 201, body=body))
        return app

    @classmethod
    def signed_in(cls, api: Api, challenge_id: str, code: str, pin: str) -> "App":
        """A new phone that answers a sign-in challenge with the letters and the PIN."""
        app = cls(api, Phone())
        device = msgspec.to_builtins(app.phone.new_device(challenge_id))
        body = {"challenge_id": challenge_id, "code": code, "pin": pin, "device": device}
        app._signed_in(api.ask("POST", "/v1/auth/sign-in/verify", 201, body=body))
        return app

    def _signed_in(self, answer: dict[str, Any]) -> None:
        self.phone.patient_id, self.phone.device_id = UUID(answer["patient_id"]), UUID(answer["device_id"])
        self.phone.hotp_secret = unpadded(answer["hotp_secret"])
        self.access_token, self.refresh_token = answer["access_token"], answer["refresh_token"]

    def refresh(self) -> None:
        issued_at = int(time.time())
        signature = self.phone.refresh_key.sign(refresh_text(self.refresh_token, issued_at))
        body = {"refresh_token": self.refresh_token, "iat": issued_at, "signature": signature}
        answer = self.api.ask("POST", "/v1/auth/refresh", body=body)
        self.access_token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        self.renewed_at = time.monotonic()

    def token(self) -> str:
        """The access token, renewed before its ten minutes are over."""
        if time.monotonic() - self.renewed_at > RENEW_SECONDS:
            self.refresh()
        return self.access_token

    @property
    def patient_id(self) -> str:
        return str(self.phone.patient_id)

    def get(self, path: str, expect: int = 200, **options: Any) -> Any:
        return self.api.ask("GET", path, expect, token=self.token(), **options)

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        return self.api.ask("POST", path, expect, token=self.token(), body=body)

    def delete(self, path: str, expect: int = 204) -> Any:
        return self.api.ask("DELETE", path, expect, token=self.token())

    def qr(self) -> str:
        """A fresh identification code."""
        text: str = self.get("/v1/me/identification-qr")["qr"]
        return text

    def approval(
        self, request: dict[str, Any], tier: str, secret: str, book: str | None = None, **narrower: Any
    ) -> dict[str, Any]:
        """The signed answer to a request as this app sends it; `narrower` replaces parts of the choice.

        book: the other person for whom this one answers.
        """
        choice = {name: request[name] for name in ("types", "since", "until", "duration_seconds")} | narrower
        labels: list[str] = choice.pop("labels", [])
        signed = self._unsigned()
        text = self._act_text(signed, request, "consent-approve") | {
            "tier": tier,
            "secret": secret,
            "doctor": request["doctor"],
            "licence": request["licence"],
            "facility": request["facility"],
            "purpose": request["purpose"],
            **choice,
            "types": sorted(choice["types"]),
            "labels": labels,
        }
        text |= {"book": book, "assent": False} if book else {}
        signatures = [self._label(request, label) for label in labels] if tier == "A" else []
        return {
            "tier": tier,
            "secret": secret,
            **choice,
            "labels": labels,
            "label_signatures": signatures,
            "signed": self._sign(signed, text),
        }

    def approve(
        self, request: dict[str, Any], tier: str, secret: str, expect: int = 201, **narrower: Any
    ) -> Any:
        path = f"/v1/me/access-requests/{request['request_id']}/approve"
        return self.post(path, self.approval(request, tier, secret, **narrower), expect)

    def offline_code(self, qr_text: str) -> str:
        """Tier C: eight digits over the text in the doctor's signed code, without a network."""
        payload = json.loads(base45.decode(qr_text.partition(":")[2])[:-SIGNATURE_BYTES])
        return self.phone.hotp(rfc8785.dumps(payload["body"]))

    def _label(self, request: dict[str, Any], label: str) -> dict[str, Any]:
        signed = self._unsigned()
        text = self._act_text(signed, request, "consent-label") | {"label": label}
        return {"label": label, "signed": self._sign(signed, text)}

    def _act_text(self, signed: dict[str, Any], request: dict[str, Any], typ: str) -> dict[str, Any]:
        return {
            "typ": typ,
            "environment": request["environment"],
            "patient_id": self.patient_id,
            "device_id": str(self.phone.device_id),
            **signed,
            "request_id": request["request_id"],
        }

    def sign(self, typ: str, facts: dict[str, Any], environment: str = "demo") -> dict[str, Any]:
        """The SignedAct of any other step-up act: the common members, then the facts of this one."""
        signed = self._unsigned()
        common = {
            "typ": typ,
            "environment": environment,
            "patient_id": self.patient_id,
            "device_id": str(self.phone.device_id),
        }
        return self._sign(signed, common | signed | facts)

    def _unsigned(self) -> dict[str, Any]:
        now = int(time.time())
        return {"nonce": base64url(secrets.token_bytes(16)), "iat": now, "exp": now + 120}

    def _sign(self, signed: dict[str, Any], text: dict[str, Any]) -> dict[str, Any]:
        return {**signed, "signature": self.phone.step_up_key.sign(rfc8785.dumps(text))}


@dataclass
class Staff:
    """Somebody at a facility, signed in with password and one-time password."""

    api: Api
    token: str
    card: DemoPractitioner

    @classmethod
    def sign_in(cls, api: Api, card: DemoPractitioner) -> "Staff":
        totp = pyotp.TOTP(card.totp_secret).at(datetime.now(UTC))
        body = {"username": card.username, "password": card.password, "totp": totp}
        answer = api.ask("POST", "/v1/auth/practitioner/sign-in", 201, body=body)
        return cls(api, answer["access_token"], card)

    def get(self, path: str, expect: int = 200, **options: Any) -> Any:
        return self.api.ask("GET", path, expect, token=self.token, **options)

    def post(self, path: str, body: Any = None, expect: int = 200) -> Any:
        return self.api.ask("POST", path, expect, token=self.token, body=body)

    def check_in(self, qr: str) -> None:
        self.post("/v1/facility/check-ins", {"qr": qr}, 201)

    def ask(self, kind: str, value: str, **more: Any) -> dict[str, Any]:
        """Open an access request; the answer has request_id and display {qr, digits}."""
        answer: dict[str, Any] = self.post(
            "/v1/doctor/access-requests", {"subject": {"kind": kind, "value": value}, **more}, 202
        )
        return answer

    def state(self, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/v1/doctor/access-requests/{request_id}")
        return answer

    def type_code(self, request_id: str, code: str, expect: int = 200) -> Any:
        return self.post(f"/v1/doctor/access-requests/{request_id}/code", {"code": code}, expect)

    def read(self, patient_id: str, what: str = "summary", expect: int = 200) -> Any:
        return self.get(f"/v1/doctor/patients/{patient_id}/{what}", expect)


@dataclass
class Machine:
    """A facility's system, signed in with client credentials."""

    api: Api
    token: str

    @classmethod
    def sign_in(cls, api: Api, client: DemoClient) -> "Machine":
        body = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        return cls(api, api.ask("POST", "/v1/auth/token", body=body)["access_token"])

    def send_records(self, raw: bytes, media_type: str) -> str:
        """Send one file; the receipt's id comes back."""
        headers = {"Content-Type": media_type}
        response = self.api.send("POST", "/v1/facility/records", token=self.token, body=raw, headers=headers)
        assert response.status_code in {200, 201, 202}, response.text[:500]
        receipt: str = response.json()["receipt_id"]
        return receipt

    def receipt(self, receipt_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.ask("GET", f"/v1/facility/records/{receipt_id}", token=self.token)
        return answer


def unpadded(text: str) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
