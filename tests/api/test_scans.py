"""The desk's scanner over HTTP: a form filled in, a reason for each refusal, and nothing kept of it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
import structlog

from qr.scanner import TEXT_MAX
from store.database import Store
from tests.qr import card_vectors
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_doctor, make_facility
from visits.identification import draw_code

SCANS = "/v1/facility/scans/read"
CASES: list[dict[str, Any]] = msgspec.json.decode(card_vectors.FILE.read_bytes())["cases"]


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


@pytest.fixture
async def clerk(store: Store, clock: FrozenClock) -> dict[str, str]:
    facility = await make_facility(store, clock)
    return bearer((await make_doctor(store, clock, facility, "clerk")).token)


async def test_every_published_text_is_answered_as_published(
    client: httpx.AsyncClient, clerk: dict[str, str]
) -> None:
    for case in CASES:
        text, expect = case["input"]["text"], case["expect"]
        answer = await client.post(SCANS, headers=clerk, json={"text": text})
        body = answer.json()
        if "problem_code" in expect:
            code = expect["problem_code"] if 0 < len(text) <= TEXT_MAX else "invalid-field"
            assert (case["name"], body["code"]) == (case["name"], code)
            assert body["detail"]
            assert body["detail_en"]
            continue
        assert answer.status_code == 200, case["name"]
        said = expect["ok"]
        assert (body["what"], body["kind"]) == (said["what"], said.get("kind"))
        card = {name: value for name, value in (body["card"] or {}).items() if value not in (None, 0, [])}
        assert card == said.get("card", {}), case["name"]


async def test_nothing_of_a_card_is_logged_or_kept(
    client: httpx.AsyncClient, clerk: dict[str, str], store: Store
) -> None:
    before = await rows_of(store)
    broken = card_vectors.with_field(card_vectors.CCCD, 3, "31022004")
    with structlog.testing.capture_logs() as lines:
        for text in (card_vectors.CCCD, card_vectors.BHYT, broken):
            await client.post(SCANS, headers=clerk, json={"text": text})
    logged = repr(lines)
    assert not any(part in logged for part in ("079204000456", "Lê Văn Mẫu", "0100000123", "4e677579"))
    assert await rows_of(store) == before


async def rows_of(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    async with store.transaction() as tx:
        names = await tx.fetch(
            "SELECT relname::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND has_table_privilege(oid, 'SELECT')"
        )
        counts = {}
        for (name,) in names:
            (row,) = await tx.fetch(f"SELECT count(*) FROM {name}")
            counts[name] = row[0]
    return counts


async def test_a_code_of_ours_is_named_by_its_kind_and_identifies_nobody_here(
    client: httpx.AsyncClient, clerk: dict[str, str], store: Store, clock: FrozenClock
) -> None:
    text = draw_code(store.keys, uuid4(), clock.now()).qr
    answer = await client.post(SCANS, headers=clerk, json={"text": f"]Q1{text}\r\n"})
    assert answer.json() == {"what": "code", "kind": "citizen", "card": None}


async def test_who_has_no_session_reads_no_card(client: httpx.AsyncClient) -> None:
    assert (await client.post(SCANS, json={"text": card_vectors.CCCD})).status_code == 401
