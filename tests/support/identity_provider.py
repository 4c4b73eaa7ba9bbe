"""An OpenID Connect issuer on a port of its own, with every fault that a test asks for."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from identity.verification.models import Level
from kernel.clock import Clock
from partners.verifiers.id_tokens import code_challenge, half_hash
from partners.verifiers.models import Issuer

CLIENT = "so-suc-khoe"
CALLBACK = "http://localhost:8000/v1/auth/identity/callback"
LEVELS: dict[str, Level] = {"loa1": 1, "loa2": 2}
PERSON = {
    "personal_number": "001190000017",
    "name": "NGUYỄN THỊ MÔ PHỎNG",
    "birthdate": "1990-02-28",
    "gender": "female",
}
Key = ECKey | RSAKey | OKPKey | OctKey


class Provider:
    """key, kid, alg: what it signs with. jwks: what it publishes. token_claims, header: laid over an honest
    token's. raw_token: instead of one. answers: path → (status, headers, body) instead of the honest answer.
    held: requests wait while it is cleared. asked: paths that came, with form or bearer."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.key: Key = ECKey.generate_key("P-256", private=True)
        self.kid: str | None = "k1"
        self.alg = "ES256"
        self.jwks: list[dict[str, Any]] = [self.public()]
        self.token_claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.raw_token: Callable[[dict[str, Any]], str] | None = None
        self.token_answer: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        self.held = asyncio.Event()
        self.held.set()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.codes: dict[str, dict[str, Any]] = {}
        self.port = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configured(self, **changes: Any) -> Issuer:
        fields: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "levels": LEVELS,
            "insecure": True,
        }
        return Issuer(**(fields | changes))

    def public(self, kid: str | None = None, **more: Any) -> dict[str, Any]:
        """The present key as its JWK for the list."""
        return {**self.key.as_dict(private=False), "kid": kid or self.kid, "use": "sig", **more}

    def rotate(self, kid: str) -> None:
        """A new key; the list names it alone."""
        self.key, self.kid = ECKey.generate_key("P-256", private=True), kid
        self.jwks = [self.public()]

    def sign_in(self, address: str, acr: str | None = "loa2", **claims: Any) -> dict[str, str]:
        """What the browser brings back after somebody signed in and agreed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(16)
        now = int(self.clock.now().timestamp())
        made = {
            "iss": self.issuer,
            "sub": "sub-1",
            "aud": CLIENT,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            **PERSON,
            **({} if acr is None else {"acr": acr}),
            **claims,
        }
        self.codes[code] = {"claims": made, "challenge": asked["code_challenge"]}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def documents(self) -> dict[str, Any]:
        discovery = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return {
            "/.well-known/openid-configuration": discovery | self.discovery,
            "/jwks": {"keys": self.jwks},
            "/userinfo": self.userinfo or {},
        }

    def answer(self, path: str, form: dict[str, Any]) -> tuple[int, str, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/token":
            return self._token(form)
        document = self.documents().get(path)
        return (404, "", b"{}") if document is None else (200, "", json.dumps(document).encode())

    def _token(self, form: dict[str, Any]) -> tuple[int, str, bytes]:
        known = self.codes.pop(form.get("code", ""), None)
        right = known is not None and code_challenge(form.get("code_verifier", "")) == known["challenge"]
        if known is None or not right or form.get("redirect_uri") != CALLBACK:
            return 400, "", b'{"error": "invalid_grant"}'
        access_token = secrets.token_urlsafe(16)
        claims = {**known["claims"], "at_hash": half_hash(self.alg, access_token), **self.token_claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.raw_token(claims) if self.raw_token else self.sign(claims)
        made = {"id_token": token, "access_token": access_token, "token_type": "Bearer"}
        return 200, "", json.dumps(made | self.token_answer).encode()

    def sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.alg, "typ": "JWT"} | ({} if self.kid is None else {"kid": self.kid})
        header = {name: value for name, value in (header | self.header).items() if value is not None}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[self.alg])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                path = head.split(" ", 2)[1].partition("?")[0]
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                self.asked.append((path, form | {"authorization": fields.get("authorization", "")}))
                await self.held.wait()
                status, headers, content = self.answer(path, form)
                kind = "" if "content-type" in headers else "content-type: application/json\r\n"
                writer.write(
                    f"HTTP/1.1 {status} X\r\n{headers}{kind}content-length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def provider(clock: Clock) -> AsyncIterator[Provider]:
    made = Provider(clock)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.held.set()
        server.close()
