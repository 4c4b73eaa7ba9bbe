"""`healthbook as doi-tac …` and `as ung-dung …`: a partner or an app of the demo, as its makers build it.

    connect   ask to be let in; prints the address for the person's browser
    redeem    the address that the browser came back to: its code for a token, within its minute
    GET, POST, …   with the token; a partner's with a proof of its key for each request (RFC 9449)

What belongs to one client (the key of its tokens, the last sign-in) stays beside the data, readable by its
owner only.
"""

import base64
import hashlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec
from joserfc import jws
from joserfc.jwk import ECKey
from msgspec import Struct

from healthbook.demo_acts import HandError
from healthbook.demo_bodies import Sent
from healthbook.demo_sheet import DemoAppClient
from kernel.access import PARTNER_GROUPS

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105
PUSH_PATH: Final = "/oauth/par"
FHIR_PATH: Final = "/fhir"
ALGORITHM: Final = "ES256"
ASSERTION_SECONDS: Final = 60
RENEW_BEFORE_SECONDS: Final = 30
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class HeldClient(Struct):
    """What is kept between two calls. until: epoch seconds. verifier, state: of the sign-in begun last."""

    dpop_key: dict[str, Any]
    access_token: str = ""
    refresh_token: str = ""
    until: float = 0
    verifier: str = ""
    state: str = ""


class ClientHand:
    """One client of the sheet at a running server. origin: what assertions and proofs name."""

    def __init__(self, client: DemoAppClient, base_url: str, origin: str, sessions: Path) -> None:
        self.client, self._origin = client, origin
        self._path = sessions / f"{client.client_id}.json"
        self._http = httpx.Client(base_url=base_url, timeout=30)
        self._held = self._load()

    def connect(self, wanted: str, number: str | None = None) -> str:
        """Where the person's browser goes. wanted: groups of a partner, scopes of an app; number: of whom a
        partner means. Raises HandError."""
        self._held.verifier, self._held.state = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
        challenge = _unpadded(hashlib.sha256(self._held.verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "redirect_uri": self.client.redirect_uri,
            "scope": wanted.replace(",", " "),
            "state": self._held.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if self._is_partner:
            pushed = self._form(PUSH_PATH, asked | ({"login_hint": number} if number else {}))
            if pushed.is_error:
                raise HandError(f"{_why(pushed)} A partner asks for some of: {', '.join(PARTNER_GROUPS)}.")
            asked = {"request_uri": pushed.json()["request_uri"]}
        else:
            asked |= {"aud": self._origin + FHIR_PATH}
        self._save()
        return f"{self._origin}/oauth/authorize?{urlencode({'client_id': self.client.client_id} | asked)}"

    def redeem(self, address: str) -> httpx.Response:
        """The token endpoint's answer to the code in the address. Raises HandError where there is none."""
        came = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        if came.get("state") != self._held.state or came.get("iss") != self._origin:
            raise HandError("That address answers nothing that was asked last; `connect` begins anew.")
        if "code" not in came:
            raise HandError(f"The answer is no: {came.get('error')}.")
        form = {
            "grant_type": "authorization_code",
            "code": came["code"],
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": self._held.verifier,
        }
        return self._token(form)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """One request with the client's token; a token that ended is asked for anew."""
        if self._held.until < time.time() + RENEW_BEFORE_SECONDS:
            self._renew()
        headers = {"Authorization": f"Bearer {self._held.access_token}"}
        if self._is_partner:
            proof = self._proof(method, path, self._held.access_token)
            headers = {"Authorization": f"DPoP {self._held.access_token}", "DPoP": proof}
        if isinstance(body, Sent):
            named = headers | {"Content-Type": body.media_type}
            return self._http.request(method, path, content=body.content, headers=named)
        return self._http.request(method, path, json=body, headers=headers)

    @property
    def _is_partner(self) -> bool:
        return self.client.kind == "partner"

    def _renew(self) -> None:
        """A partner signs in by its key alone; an app has what the person's sign-in left it."""
        if self._is_partner:
            answer = self._token({"grant_type": "client_credentials"})
        elif self._held.refresh_token:
            renewal = {"grant_type": "refresh_token", "refresh_token": self._held.refresh_token}
            answer = self._token(renewal)
        else:
            raise HandError("Nobody let this app in, or its time is over: `connect`, then `redeem`.")
        if answer.is_error:
            raise HandError(_why(answer))

    def _token(self, form: dict[str, str]) -> httpx.Response:
        answer = self._form(TOKEN_PATH, form)
        if answer.is_success:
            got = answer.json()
            self._held.access_token = got["access_token"]
            self._held.refresh_token = got.get("refresh_token", "")
            self._held.until = time.time() + got["expires_in"]
            self._save()
        return answer

    def _form(self, path: str, form: dict[str, str]) -> httpx.Response:
        """A form as this client sends it: a partner proves itself and its key."""
        if not self._is_partner:
            return self._http.post(path, data=form | {"client_id": self.client.client_id})
        signed = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion()}
        return self._http.post(path, data=form | signed, headers={"DPoP": self._proof("POST", path)})

    def _assertion(self) -> str:
        """RFC 7523 section 3."""
        key, now = ECKey.import_key(json.loads(self.client.private_key)), int(time.time())
        claims = {
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "aud": self._origin,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(16),
        }
        return _signed({"alg": ALGORITHM, "kid": key.kid}, claims, key)

    def _proof(self, method: str, path: str, token: str = "") -> str:
        """RFC 9449 section 4.2: this method, this address without its query, this token."""
        key = ECKey.import_key(self._held.dpop_key)
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": self._origin + path.partition("?")[0],
            "iat": int(time.time()),
        } | ({"ath": _unpadded(hashlib.sha256(token.encode()).digest())} if token else {})
        public = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        return _signed({"alg": ALGORITHM, "typ": "dpop+jwt", "jwk": public}, claims, key)

    def _load(self) -> HeldClient:
        if self._path.exists():
            return msgspec.json.decode(self._path.read_bytes(), type=HeldClient)
        return HeldClient(dpop_key=dict(ECKey.generate_key("P-256").as_dict(private=True)))

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self._held))


def _signed(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=[ALGORITHM])


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _why(answer: httpx.Response) -> str:
    """RFC 6749 section 5.2, or whatever else came."""
    try:
        said = answer.json()
        return f"{said['error']}: {said['error_description']}"
    except (ValueError, KeyError):
        return f"{answer.status_code} {answer.reason_phrase}"
