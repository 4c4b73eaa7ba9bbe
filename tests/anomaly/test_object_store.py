"""The object store is slow, says nothing, hangs up and lies, under load: what people sent in stays whole, and
no byte that is not theirs leaves."""

import asyncio
import base64
import hashlib
import io
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from store.blobs_s3 import open_s3_client
from tests.anomaly.crowd import Crowd, crowd_at_work
from tests.anomaly.drill import BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import running
from tests.anomaly.line import Mode, line_to
from tests.support.object_store import ACCESS_KEY, REGION, SECRET_KEY, object_store
from tests.support.people import Citizen

BUCKET = "drill"
FAULTS: tuple[Mode, ...] = ("slow", "lying", "held", "cut")
# Of one person a day; further ones are refused.
PAPERS_MAX = 15


def photo() -> str:
    """A page of its own colour, in base64."""
    drawn, colour = io.BytesIO(), tuple(random.randbytes(3))
    Image.new("RGB", (64, 48), colour).save(drawn, "JPEG", quality=80)
    return base64.b64encode(drawn.getvalue()).decode()


@dataclass
class Papers:
    """One person's: what was acknowledged, and the digest of what each was first read as."""

    citizen: Citizen
    kept: list[str] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, Any] = field(default_factory=dict)
    once: str = ""

    async def step(self, crowd: Crowd, client: httpx.AsyncClient) -> bool:
        """Send one in, again with the same key until it is acknowledged, or read one of those."""
        if self.waiting or (len(self.kept) < PAPERS_MAX and random.random() < 0.3) or not self.kept:
            return await self._send(crowd, client)
        return await self.check(crowd, client, random.choice(self.kept))

    async def _send(self, crowd: Crowd, client: httpx.AsyncClient) -> bool:
        if not self.waiting:
            self.once = str(uuid4())
            self.waiting = {"kind": "paper-book", "date": "2019", "content": photo()}
            self.waiting |= {"facility_name": "Trạm y tế xã cũ"}
        headers = {"Idempotency-Key": self.once}
        answer = await crowd.send(client, self.citizen, "POST", "/v1/me/documents", self.waiting, headers)
        if answer is None:
            return False
        if answer.status_code != 201:
            crowd.wrong.append(f"a document: {answer.status_code} {answer.text[:200]}")
            return False
        self.waiting = {}
        self.kept.append(answer.json()["item_id"])
        crowd.changes += 1
        return True

    async def check(self, crowd: Crowd, client: httpx.AsyncClient, document: str) -> bool:
        """It reads as it read first."""
        answer = await crowd.send(client, self.citizen, "GET", f"/v1/me/documents/{document}/content")
        if answer is None:
            return False
        crowd.reads += 1
        digest = hashlib.sha256(answer.content).hexdigest()
        if answer.status_code != 200 or self.read.setdefault(document, digest) != digest:
            crowd.wrong.append(f"a document reads otherwise: {answer.status_code} {answer.text[:100]!r}")
        return True


async def made_bucket(endpoint: str) -> None:
    async with open_s3_client(endpoint, REGION) as client:
        await client.create_bucket(Bucket=BUCKET)


@pytest.mark.drill
async def test_the_object_store_is_slow_or_lies(
    place: Path, report: Callable[[Row], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    recovery: list[float] = []
    with object_store() as objects:
        await made_bucket(objects.endpoint)
        at = urlsplit(objects.endpoint)
        assert at.hostname is not None
        assert at.port is not None
        async with line_to(at.hostname, at.port) as line:
            endpoint = f"http://127.0.0.1:{line.port}"
            async with running(place, S3_ENDPOINT=endpoint, S3_BUCKET=BUCKET) as installation:
                papers: list[Papers] = []

                def keepers(crowd: Crowd) -> dict[str, Any]:
                    papers.extend(Papers(one) for one in crowd.phones)
                    return {f"papers {number}": one.step for number, one in enumerate(papers)}

                async with crowd_at_work(installation, keepers) as crowd:
                    await asyncio.sleep(BEFORE_SECONDS)
                    for fault in FAULTS:
                        line.be(fault)
                        await asyncio.sleep(WITHIN_SECONDS)
                        line.be("open")
                        recovery.append(await crowd.recovered(time.monotonic()))
                async with crowd.client() as client:
                    for one in papers:
                        for document in one.kept:
                            if not await one.check(crowd, client, document):
                                crowd.lost.append(f"document {document}")
    assert any(UUID(document) for one in papers for document in one.kept)
    report(crowd.row("object store slow, lying, silent, gone", recovery))
