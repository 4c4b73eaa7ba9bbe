"""An operator makes a core tell of changes, and ends it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ehr.core import queries
from ehr.core.subscribing import NOTICES_PATH, SECRET_HEADER
from healthbook.core_commands import subscribe_to_core, unsubscribe_from_core
from healthbook.settings import Settings, SettingsError, read_settings
from healthbook.wiring import StartError
from store.database import Store
from tests.support.fhir_core import TOKEN, Peer, running_peer

SIGNED = ("Nguyễn Vận Hành", "nối máy chủ bệnh viện")
HERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with running_peer(tmp_path_factory.mktemp("peer")) as running:
        yield running


def settings_for(base: str, **more: Any) -> Settings:
    return Settings(ehr_core_url=base, ehr_core_token=TOKEN, ehr_core_subscription=HERE, **more)


async def acts(owner: Store) -> list[str]:
    async with owner.transaction() as tx:
        return [row[0] for row in await tx.fetch("SELECT entry FROM admin_event ORDER BY seq")]


async def test_s26_a_named_operator_subscribes_and_ends_it(store: Store, owner: Store, peer: Peer) -> None:
    settings = settings_for(peer.base)
    await subscribe_to_core(store, settings, None, SIGNED)
    async with store.transaction() as tx:
        row = await queries.SUBSCRIPTION.one(tx, "core:main")
    assert row is not None
    assert row.subscription is not None
    there = peer.get(f"Subscription/{row.subscription}")
    assert there["channel"]["endpoint"] == HERE + NOTICES_PATH
    assert there["channel"]["_payload"]["extension"][0]["valueCode"] == "id-only"
    name, _, secret = there["channel"]["header"][0].partition(": ")
    assert name == SECRET_HEADER
    assert secret not in there["channel"]["endpoint"]
    assert secret.encode() not in row.secret_sha256
    assert await unsubscribe_from_core(store, settings, SIGNED)
    assert peer.get(f"Subscription/{row.subscription}")["resourceType"] == "OperationOutcome"
    written = await acts(owner)
    assert sum("core:subscribe" in one for one in written) == 1
    assert sum("core:unsubscribe" in one for one in written) == 1
    assert all(secret not in one for one in written)
    async with store.transaction() as tx:
        assert await queries.SUBSCRIPTION.one(tx, "core:main") is None


async def test_a_core_that_refuses_leaves_nobody_listening(store: Store, peer: Peer) -> None:
    for settings in (settings_for(peer.base, ehr_core_id="other"), settings_for("http://127.0.0.1:9/fhir")):
        wrong = Settings(
            ehr_core_url=settings.ehr_core_url,
            ehr_core_token="wrong",
            ehr_core_id="other",
            ehr_core_subscription=HERE,
        )
        with pytest.raises(StartError, match="did not take"):
            await subscribe_to_core(store, wrong, None, SIGNED)
        async with store.transaction() as tx:
            assert await queries.SUBSCRIPTION.one(tx, "core:other") is None
    with pytest.raises(StartError, match="EHR_CORE_SUBSCRIPTION"):
        await subscribe_to_core(store, Settings(ehr_core_url=peer.base), None, SIGNED)


def test_the_address_is_checked_at_the_start(tmp_path: Path) -> None:
    core = {"HEALTHBOOK_DATA": str(tmp_path), "EHR_CORE_URL": "https://core.example/fhir"}
    read_settings(core | {"EHR_CORE_SUBSCRIPTION": "https://book.example"})
    for wrong in ("http://book.example", "https://book.example?secret=x", "https://u@book.example", "book"):
        with pytest.raises(SettingsError, match="EHR_CORE_SUBSCRIPTION"):
            read_settings(core | {"EHR_CORE_SUBSCRIPTION": wrong})
    with pytest.raises(SettingsError, match="EHR_CORE_SUBSCRIPTION"):
        read_settings({"EHR_CORE_SUBSCRIPTION": "https://book.example"})
