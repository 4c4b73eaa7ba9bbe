"""A gateway for SMS on this machine, as an operator's would be: it checks who asks, keeps what it took, and
drops a reference that it took before. Signatures are made by the words of docs/notifications.md alone."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

SECRET = "a-secret-of-both-sides-of-a-gateway"
TOKEN = "bearer-of-the-gateway"


def mac(purpose: str, at: int, body: bytes) -> str:
    signed = f"{purpose}\n{at}\n".encode() + body
    return hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()


def report_header(body: bytes, at: float) -> str:
    """What the gateway signs a delivery report with."""
    return f"t={int(at)},v1={mac('report', int(at), body)}"


class SmsServer:
    """status, headers, body: the next answers; None: accept. asked: every signed request as its fields;
    accepted: how often each reference was handed over. held: set while answers are wanted."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.accepted: dict[str, int] = {}
        self.strangers = 0
        self.held = threading.Event()
        self.fresh()

    def fresh(self) -> None:
        self.asked.clear()
        self.headers.clear()
        self.accepted.clear()
        self.strangers = 0
        self.status: int | None = None
        self.more: dict[str, str] = {}
        self.body = b""
        self.cut = False
        self.held.set()

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if not self._is_known(headers, body):
            self.strangers += 1
            return 401, {}, b""
        form = headers["content-type"] == "application/x-www-form-urlencoded"
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True)) if form else json.loads(body)
        self.asked.append(fields)
        self.headers.append(headers)
        if self.status is not None:
            return self.status, self.more, self.body
        reference = headers["idempotency-key"]
        self.accepted[reference] = self.accepted.get(reference, 0) + 1
        if self.accepted[reference] > 1:
            return 409, {}, b""
        return 200, {}, json.dumps({"data": [{"id": f"sms-{reference}"}], "code": 0}).encode()

    def _is_known(self, headers: dict[str, str], body: bytes) -> bool:
        if headers.get("authorization") == f"Bearer {TOKEN}":
            return True
        at, _, sent = headers.get("x-healthbook-signature", "").partition(",v1=")
        return hmac.compare_digest(sent, mac("send", int(at.removeprefix("t=") or 0), body))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_args: Any) -> None:
        """Who gave up waiting is no error of the gateway."""


@contextmanager
def running_sms() -> Iterator[SmsServer]:
    """Listens on loopback until the block ends."""
    gateway = SmsServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, content = gateway.answer(headers, body)
            gateway.held.wait()
            if gateway.cut:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in (more | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            raise AssertionError("a redirect was followed")

        def log_message(self, *_args: Any) -> None:
            return None

    server = _Server(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}/send"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.held.set()
        server.shutdown()
        server.server_close()
        thread.join()
