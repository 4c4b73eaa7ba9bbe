"""Firebase Cloud Messaging HTTP v1 on this machine: a token endpoint, and sends over HTTP/2 and TLS.

The first word of a target, before `-`, chooses the answer: `ok` 200, `gone` 404, `quota` 429, `bad` and
`field` the 400 of a wrong target, `badreq` the 400 of a wrong message, `sender` 403, `apns` 401, `down` 503,
`once503` 503 and then 200, `broken` 500, `odd` an error nobody knows, `html` a page, `nameless` a 200 without
a name, `hang` nothing ever.
"""

import asyncio
import base64
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs
from uuid import uuid4

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

PROJECT = "so-suc-khoe-thu"
HOST = "fcm.googleapis.com"
PATH = f"/v1/projects/{PROJECT}/messages:send"
RETRY_AFTER = 30
WINDOW = 2**20
Answer: TypeAlias = tuple[int, dict[str, str], bytes]
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def fcm_error(code: str) -> dict[str, Any]:
    return {"@type": FCM_ERROR, "errorCode": code}


def bad_field(name: str) -> dict[str, Any]:
    return {"@type": BAD_REQUEST, "fieldViolations": [{"field": name, "description": "Invalid value"}]}


# Status, the status word of Google's error model, details.
ERRORS: dict[str, tuple[int, str, list[dict[str, Any]]]] = {
    "gone": (404, "NOT_FOUND", [fcm_error("UNREGISTERED")]),
    "quota": (429, "RESOURCE_EXHAUSTED", [fcm_error("QUOTA_EXCEEDED")]),
    "bad": (400, "INVALID_ARGUMENT", [fcm_error("INVALID_ARGUMENT")]),
    "field": (400, "INVALID_ARGUMENT", [fcm_error("INVALID_ARGUMENT"), bad_field("message.token")]),
    "badreq": (400, "INVALID_ARGUMENT", [bad_field("message.data[0].value")]),
    "sender": (403, "PERMISSION_DENIED", [fcm_error("SENDER_ID_MISMATCH")]),
    "apns": (401, "UNAUTHENTICATED", [fcm_error("THIRD_PARTY_AUTH_ERROR")]),
    "down": (503, "UNAVAILABLE", [fcm_error("UNAVAILABLE")]),
    "broken": (500, "INTERNAL", [fcm_error("INTERNAL")]),
    "odd": (418, "SOMETHING_NEW", [fcm_error("NEVER_HEARD_OF")]),
    "off": (403, "PERMISSION_DENIED", []),
}


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account_of(key: rsa.RSAPrivateKey, token_uri: str) -> dict[str, str]:
    """The file that Google's console hands out for a key."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "key-1",
        "private_key": pem.decode(),
        "client_email": f"push@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }


class FcmServer:
    """What it was asked and how it answers. Everything may be read and changed from a test's thread.

    asked: every message that came; accepted: those answered 200. close_after: a connection ends without a
    word after so many requests. token_status: of the token endpoint, 0: it never answers. apns_broken: the
    401 of `apns` targets; unset, they are accepted. answers_all: the word that chooses every answer.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.accepted: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.connections = 0
        self.token_status = 200
        self.close_after = 0
        self.apns_broken = True
        self.answers_all = ""
        self.port = 0
        self.token_port = 0
        self.ca = b""
        self._key = new_key()
        self._once: set[str] = set()

    @property
    def url(self) -> str:
        """What stands in for the client's FCM_URL."""
        return f"https://127.0.0.1:{self.port}/v1/projects/{{0}}/messages:send"

    @property
    def token_uri(self) -> str:
        return f"http://127.0.0.1:{self.token_port}/token"

    def write(self, directory: Path) -> tuple[Path, Path]:
        """The service account and the certificate to trust, as files."""
        account, ca = directory / "account.json", directory / "ca.pem"
        account.touch(mode=0o600)
        account.write_text(json.dumps(service_account_of(self._key, self.token_uri)))
        ca.write_bytes(self.ca)
        return account, ca

    def answer(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, further headers and body; None: it hangs."""
        if path != PATH:
            return _error(404, "NOT_FOUND", [])
        if headers.get("authorization") not in {f"Bearer {token}" for token in self.tokens}:
            return _error(401, "UNAUTHENTICATED", [])
        message = json.loads(body)["message"]
        self.asked.append(message)
        self.headers.append(headers)
        target = message.get("fid") or message["token"]
        word = self._word(target)
        if word == "hang":
            return None
        if word == "html":
            return 502, {"content-type": "text/html"}, b"<html>Bad Gateway</html>"
        if word in ERRORS:
            status, name, details = ERRORS[word]
            more = {"retry-after": str(RETRY_AFTER)} if status == 429 else {}
            return _error(status, name, details, more)
        self.accepted.append(message)
        name = f"projects/{PROJECT}/messages/{uuid4().hex}"
        return 200, {}, json.dumps({} if word == "nameless" else {"name": name}).encode()

    def _word(self, target: str) -> str:
        word = self.answers_all or target.partition("-")[0]
        if word == "once503" and target not in self._once:
            self._once.add(target)
            return "down"
        return "ok" if word == "apns" and not self.apns_broken else word

    def give_token(self, body: bytes) -> tuple[int, bytes]:
        """A token for a JWT that the account signed for this endpoint (RFC 7523)."""
        if self.token_status != 200:
            return self.token_status, b'{"error": "invalid_grant"}'
        form = parse_qs(body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        signed, _, signature = form["assertion"][0].rpartition(".")
        self._key.public_key().verify(_raw(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_raw(signed.split(".")[1]))
        assert claims["aud"] == "https://oauth2.googleapis.com/token"
        assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        self.tokens.append(uuid4().hex)
        text = {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}
        return 200, json.dumps(text).encode()


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _error(
    status: int, name: str, details: list[dict[str, Any]], headers: dict[str, str] | None = None
) -> Answer:
    error = {"code": status, "message": "as a test asked", "status": name, "details": details}
    return status, headers or {}, json.dumps({"error": error}).encode()


class _Http2(asyncio.Protocol):
    """One connection of the send endpoint."""

    def __init__(self, server: FcmServer) -> None:
        self._server = server
        self._served = 0
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._streams: dict[int, tuple[dict[str, str], bytearray]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._server.connections += 1
        self._transport = transport
        self._h2.initiate_connection()
        # As Google's servers do. Within the 64 KiB that HTTP/2 begins with, a hundred bodies at once can make
        # httpcore 1.0 wait for a window that another of its requests has already read.
        self._h2.increment_flow_control_window(WINDOW)
        transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            self._take(event)
            if self._server.close_after and self._served >= self._server.close_after:
                self._transport.write(self._h2.data_to_send())
                self._transport.close()
                return
        self._transport.write(self._h2.data_to_send())

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._streams[event.stream_id] = (dict(event.headers), bytearray())
        elif isinstance(event, h2.events.DataReceived):
            self._streams[event.stream_id][1].extend(event.data)
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self._streams.pop(event.stream_id, None)
        elif isinstance(event, h2.events.StreamEnded):
            headers, body = self._streams.pop(event.stream_id)
            self._answer(event.stream_id, headers, bytes(body))

    def _answer(self, stream_id: int, headers: dict[str, str], body: bytes) -> None:
        answered = self._server.answer(headers[":path"], headers, body)
        self._served += 1
        if answered is None:
            return
        status, more, content = answered
        length = {"content-length": str(len(content))}
        fields = {":status": str(status), "content-type": "application/json", **more, **length}
        self._h2.send_headers(stream_id, list(fields.items()))
        self._h2.send_data(stream_id, content, end_stream=True)


async def _serve_token(server: FcmServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line.split(":")[1]) for line in head.split("\r\n") if "content-length" in line)
        body = await reader.readexactly(length)
        if server.token_status == 0:
            await reader.read()
            return
        status, content = server.give_token(body)
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def _certificate(directory: Path) -> tuple[bytes, Path]:
    """A certificate of fcm.googleapis.com that signs itself, and a file of it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    whole = directory / "server.pem"
    whole.touch(mode=0o600)
    whole.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pem, whole


async def _run(server: FcmServer, at: tuple[str, int], directory: Path, started: threading.Event) -> None:
    server.ca, whole = _certificate(directory)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(whole)
    tls.set_alpn_protocols(["h2"])
    loop = asyncio.get_running_loop()
    sends = await loop.create_server(lambda: _Http2(server), *at, ssl=tls)
    tokens = await asyncio.start_server(lambda r, w: _serve_token(server, r, w), "127.0.0.1", 0)
    server.port = sends.sockets[0].getsockname()[1]
    server.token_port = tokens.sockets[0].getsockname()[1]
    started.set()
    try:
        await asyncio.Event().wait()
    finally:
        sends.close()
        tokens.close()


async def _ended(loop: asyncio.AbstractEventLoop) -> None:
    """Until what was still being answered has stopped."""
    others = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def running_fcm(directory: Path, at: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[FcmServer]:
    """Listens until the block ends, in a thread of its own."""
    server, started = FcmServer(), threading.Event()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_run(server, at, directory, started))

    def work() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.run_until_complete(_ended(loop))
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait()
    if task.done():
        task.result()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def main(directory: Path) -> None:
    """Serve until standard input ends; the first line out is where sends go."""
    with running_fcm(directory) as server:
        server.write(directory)
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
