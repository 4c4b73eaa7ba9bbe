"""Readiness is told in time: whoever watches a process ends it when it does not answer."""

import asyncio
from typing import cast

import pytest

from api.public import health
from store.blobs import BlobStore
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of


class SilentBlobs:
    """An object store that takes the question and never answers."""

    async def check(self) -> None:
        await asyncio.Event().wait()


async def test_a_silent_object_store_is_shown_and_holds_readiness_up_no_longer_than_it_may(
    store: Store, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "BLOBS_SECONDS_MAX", 0.05)
    monkeypatch.setattr(store, "blobs", cast("BlobStore", SilentBlobs()))
    async with asyncio.timeout(120), client_of(store, clock) as client:
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["blobs"]) == (200, "unavailable")


async def test_readiness_names_every_provider_that_is_missing(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock, missing_providers=("push", "sms")) as client:
        answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["errors"]) == (503, [{"where": "push, sms"}])
