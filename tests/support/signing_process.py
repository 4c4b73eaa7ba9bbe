"""The signer for tests: its server in this process, behind its real socket, with keys and a role of its own.

`signer` of tests/vaccination/conftest.py opens one; ask for its keys by purpose and algorithm.
"""

import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509

from kernel.clock import Clock
from store.blobs import FilesystemBlobs
from store.database import Store, open_store
from store.keys import KeyRing
from store.postgres import Server
from vaccination.signer.authority import certify, make_authority, make_request
from vaccination.signer.client import SocketSigner
from vaccination.signer.enrolment import enrol
from vaccination.signer.key_files import SignerKeys, make_key, purpose_of
from vaccination.signer.models import Algorithm, DocumentSigner
from vaccination.signer.ports import Shape, SignerPurpose
from vaccination.signer.server import SigningServer

NAMES: tuple[tuple[SignerPurpose, Algorithm], ...] = (("hc1", "ES256"), ("hc1", "PS256"), ("shc", "ES256"))
_number = itertools.count()


@dataclass
class RunningSigner:
    """Is a Signer itself. signers: what current_signer chooses from, by purpose and algorithm."""

    client: SocketSigner
    server: SigningServer
    directory: Path
    signers: dict[tuple[SignerPurpose, Algorithm], DocumentSigner]

    async def sign(self, issuance: UUID, patient_id: UUID, key: str, shape: Shape, to_sign: bytes) -> bytes:
        return await self.client.sign(issuance, patient_id, key, shape, to_sign)

    def of(self, purpose: SignerPurpose, alg: Algorithm = "ES256") -> DocumentSigner:
        return self.signers[purpose, alg]


@asynccontextmanager
async def running_signer(
    server: Server, database: str, owner: Store, clock: Clock, daily_budget: int = 100_000
) -> AsyncIterator[RunningSigner]:
    """Keys of every kind, certified by an authority of their own and enrolled; those before are retired."""
    directory = Path(tempfile.mkdtemp(prefix="hbs-"))
    signers = await enrol_keys(owner, directory / "keys", clock.now(), daily_budget)
    store = await open_signer_store(server, database, directory)
    serving = SigningServer(store, SignerKeys.load(directory / "keys"), clock)
    await serving.open(directory / "signer.sock")
    try:
        yield RunningSigner(SocketSigner(directory / "signer.sock"), serving, directory, signers)
    finally:
        await serving.close()
        await store.close()


async def open_signer_store(server: Server, database: str, directory: Path) -> Store:
    ring = KeyRing()
    dsn = server.dsn("hb_signer", database)
    return await open_store(dsn, role="hb_signer", keys=ring, blobs=FilesystemBlobs(directory, ring))


async def enrol_keys(
    owner: Store, keys: Path, now: datetime, daily_budget: int
) -> dict[tuple[SignerPurpose, Algorithm], DocumentSigner]:
    since = now - timedelta(days=1)
    key, authority = make_authority("Test signing authority", since)
    signers: dict[tuple[SignerPurpose, Algorithm], DocumentSigner] = {}
    async with owner.transaction() as tx:
        await tx.execute("UPDATE document_signer SET retired_at = $1 WHERE retired_at IS NULL", now)
        for purpose, alg in NAMES:
            key_id = next_key(keys, purpose, alg)
            held = SignerKeys.load(keys)
            request = make_request(held.key(key_id), "Test document signer")
            made = certify(request, purpose, authority, key, since)
            signers[purpose, alg] = await enrol(tx, key_id, made, authority, daily_budget, now)
    return signers


def next_key(keys: Path, purpose: SignerPurpose, alg: Algorithm) -> str:
    """A key whose id no other test of this database has."""
    made = make_key(keys, purpose, alg)
    key_id = f"{purpose_of(made)}.{next(_number) + 1:04d}"
    (keys / f"{made}.key").rename(keys / f"{key_id}.key")
    return key_id


def load_certificate(signer: DocumentSigner) -> x509.Certificate:
    return x509.load_der_x509_certificate(signer.certificate)
