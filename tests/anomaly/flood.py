"""The other side of test_overload.py in a process of its own, so that the work of sending is not measured as
waiting: sign-ins with random names and PDFs, all at once, each over a connection of its own.

Standard input: {"port", "sign_ins", "pdfs", "tokens"}; standard output: of each answer its status, its
Retry-After, its X-Request-Id and whether a PDF came; the sign-ins first. A sign-in comes from an address of
its own, as from many machines: no budget of one network holds it back.
"""

import asyncio
import json
import secrets
import sys
from typing import Any


async def ask(port: int, head: str, body: bytes) -> dict[str, Any]:
    """One request and its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    about = f"Host: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head + about).encode() + body)
    answer = await reader.read()
    writer.close()
    top, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    told = {name: headers.get(name) for name in ("retry-after", "x-request-id")}
    return {"status": int(first.split()[1]), "is_pdf": b"%PDF" in content[:32], **told}


def sign_in(port: int, number: int) -> Any:
    body = {"username": secrets.token_hex(6), "password": secrets.token_hex(12), "totp": "123456"}
    head = (
        "POST /v1/auth/practitioner/sign-in HTTP/1.1\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: 198.18.{number // 256}.{number % 256}\r\n"
    )
    return ask(port, head, json.dumps(body).encode())


def pdf(port: int, token: str) -> Any:
    return ask(port, f"GET /v1/me/vaccination.pdf HTTP/1.1\r\nAuthorization: Bearer {token}\r\n", b"")


async def flood(order: dict[str, Any]) -> list[dict[str, Any]]:
    port, tokens = order["port"], order["tokens"]
    signing_in = [sign_in(port, number) for number in range(order["sign_ins"])]
    printing = [pdf(port, tokens[number % len(tokens)]) for number in range(order["pdfs"])]
    return list(await asyncio.gather(*signing_in, *printing))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(flood(json.load(sys.stdin)))))
