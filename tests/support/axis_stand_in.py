"""A stand-in for the ministry's axis on a port of its own: the published form of QĐ 1551, and the faults
that a test asks for. It is no part of the ministry's system and was made without seeing it.

It reads and checks messages by itself: nothing of partners/axis is used here.
"""

import asyncio
import base64
import hashlib
import json
import re
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ID, SECRET = "axis-client", "axis-secret"
PUSH = "/api/platform/data-sync/push"
RECEIVER = "0100000000000"


def raw_header(body: bytes) -> str:
    """The header's own characters in a body."""
    text = body.decode()
    start = text.index('"header":') + len('"header":')
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


class AxisStandIn:
    """faults: what becomes of the next messages, one each, before everything goes well: a status, `slow`
    (no answer while `open` is cleared), `lost` (taken in, and the connection ends), `garbage`, `other`, or
    a code of the form. tokens: how many were given out; receipts: how often each msg_id was taken in; seen:
    every body."""

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self.key = key
        self.faults: deque[str | int] = deque()
        self.login_status = 200
        self.expires_in: int | None = 3600
        self.live: set[str] = set()
        self.tokens = 0
        self.seen: list[bytes] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.receipts: Counter[str] = Counter()
        self.open = asyncio.Event()
        self.open.set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                found = re.search(r"content-length: *([0-9]+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(found[1]) if found else 0)
                status, answer = await self.answer(head, body)
                if status == 0:
                    break
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-length: {len(answer)}\r\n\r\n".encode() + answer
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, head: str, body: bytes) -> tuple[int, bytes]:
        path = head.split(" ")[1]
        if path == "/login":
            return self._login(body)
        if path != PUSH:
            return 404, b""
        token = re.search(r"authorization: Bearer (\S+)", head, re.IGNORECASE)
        if token is None or token[1] not in self.live:
            return 401, b""
        self.seen.append(body)
        return await self._pushed(body, self.faults.popleft() if self.faults else "well")

    async def _pushed(self, body: bytes, fault: str | int) -> tuple[int, bytes]:
        if isinstance(fault, int):
            return fault, b"<html>trouble</html>"
        if fault == "slow":
            self.open.clear()
            await self.open.wait()
        if fault == "garbage":
            return 200, b"<html>welcome</html>"
        code = fault if fault.isupper() else self.take(body)
        told = self.reply(body, code)
        if fault == "lost":
            return 0, b""
        if fault == "other":
            told["header"]["ref_msg_id"] = "9" * 51
        return 200, json.dumps(told).encode()

    def _login(self, body: bytes) -> tuple[int, bytes]:
        if self.login_status != 200:
            return self.login_status, b"{}"
        if f"client_id={ID}".encode() not in body or f"client_secret={SECRET}".encode() not in body:
            return 401, b"{}"
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.live.add(token)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        return 200, json.dumps({name: value for name, value in told.items() if value is not None}).encode()

    def take(self, body: bytes) -> str:
        """Check one message as the form says, and keep it once."""
        message, header = json.loads(body), json.loads(raw_header(body))
        signed = raw_header(body).encode() + message["data"].encode()
        try:
            signature = base64.b64decode(message["signature"])
            self.key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return "PS_SIGNATURE_INVALID"
        sender = header["sender_id"]
        if not re.fullmatch(rf"{sender}[0-9]{{6}}[0-9a-f]{{32}}", header["msg_id"]):
            return "CM_INVALID_REQUEST"
        if uuid.UUID(header["msg_id"][19:]).version != 4 or header["msg_type"] != 101:
            return "CM_INVALID_REQUEST"
        digest = hashlib.sha256(body).hexdigest()
        known = self.kept.setdefault(header["msg_id"], {"digest": digest, "header": header})
        if known["digest"] != digest:
            return "CM_INVALID_REQUEST"
        known["content"] = json.loads(base64.b64decode(message["data"]))
        self.receipts[header["msg_id"]] += 1
        return "CM_SUCCESS"

    def reply(self, body: bytes, code: str) -> dict[str, Any]:
        header = json.loads(raw_header(body))
        told = header | {
            "sender_id": header["receiver_id"],
            "receiver_id": header["sender_id"],
            "msg_id": header["receiver_id"] + "261123" + uuid.uuid4().hex,
            "msg_type": 102,
            "ref_msg_id": header["msg_id"],
        }
        return {"header": told, "code": code}


@asynccontextmanager
async def axis_stand_in(key: rsa.RSAPublicKey) -> AsyncIterator[AxisStandIn]:
    made = AxisStandIn(key)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.open.set()
        server.close()
