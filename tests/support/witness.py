"""A witness of the log for tests: an HTTP server of its own, as somebody outside would run it.

It keeps the last root of each log, signs what continues it, and refuses everything else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.ports import Offer
from audit.roots.models import Cosignature, Root, RootKey
from audit.roots.signing import cosigned_text, holds_root, to_base64url
from audit.roots.tree import holds_consistency

NAME = "witness.example"


class TestWitness:
    """keys: of the service, learnt when the witness was set up."""

    __test__ = False

    def __init__(self, keys: list[RootKey]) -> None:
        self.keys = keys
        self.seen: dict[str, Root] = {}
        self.offers: list[Offer] = []
        self.url = ""
        self.broken: bytes | None = None
        self._key = Ed25519PrivateKey.generate()

    @property
    def key(self) -> str:
        return to_base64url(self._key.public_key().public_bytes_raw())

    def answer(self, body: bytes) -> tuple[int, bytes]:
        if self.broken is not None:
            return 200, self.broken
        offer = msgspec.json.decode(body, type=Offer)
        self.offers.append(offer)
        root, last = offer.root.root, self.seen.get(str(offer.root.root.log))
        if not holds_root(offer.root, self.keys):
            return 422, b'{"why":"signature"}'
        size = last.size if last else 0
        if offer.old_size != size:
            return 409, msgspec.json.encode({"size": size})
        steps = [bytes.fromhex(step) for step in offer.consistency]
        if last and not holds_consistency(
            size, root.size, steps, bytes.fromhex(last.hash), bytes.fromhex(root.hash)
        ):
            return 422, b'{"why":"fork"}'
        self.seen[str(root.log)] = root
        at = "2026-11-21T02:00:00.000000Z"
        signature = to_base64url(self._key.sign(cosigned_text(root, NAME, at)))
        return 200, msgspec.json.encode(Cosignature(at=at, signature=signature, witness=NAME))


@contextmanager
def running_witness(keys: list[RootKey]) -> Iterator[TestWitness]:
    """Listens on loopback until the block ends."""
    witness = TestWitness(keys)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, text = witness.answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    witness.url = f"http://127.0.0.1:{server.server_address[1]}/offer"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
