"""What we sign for partners, read by a library that others wrote (npm `jose`) with the keys we publish."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from store.database import Store
from tests.partners.records.test_disclosures import asked, connected, pull
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.people import make_citizen
from tests.support.viewer import read_jws

KEYS = "/.well-known/partner-keys.json"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock) as opened:
        yield opened


async def test_a_partner_reads_the_record_and_nothing_else_passes(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock, name="Nguyễn Thị Đọc")
    partner, consent = await connected(client, store, clock, person)
    handed = (await pull(client, partner, asked(consent, "administrative"))).json()
    published: dict[str, Any] = (await client.get(KEYS)).json()
    assert not any("d" in key or key["kty"] == "oct" for key in published["keys"])
    head, payload, signature = handed["record"].split(".")
    changed = base64.urlsafe_b64encode(_decoded(payload).replace(b"administrative", b"administratixe"))
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    read, altered, unsigned, cut = read_jws(
        [
            handed["record"],
            f"{head}.{changed.rstrip(b'=').decode()}.{signature}",
            f"{none}.{payload}.",
            f"{head}.{payload}.{signature[:-4]}",
        ],
        published,
        ["ES256"],
    )
    assert read["header"]["typ"] == "ssk-partner-record+jws"
    assert read["header"]["kid"] in [key["kid"] for key in published["keys"]]
    assert read["payload"] == json.loads(_decoded(payload))
    assert read["payload"]["receipt"] == handed["receipt"]
    assert read["payload"]["record"]["administrative"]["name"] == person.name
    assert altered == cut == {"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}
    assert unsigned["error"] in ("ERR_JOSE_ALG_NOT_ALLOWED", "ERR_JWKS_NO_MATCHING_KEY")


async def test_no_other_list_of_ours_verifies_it(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    partner, consent = await connected(client, store, clock, person)
    handed = (await pull(client, partner, asked(consent, "administrative"))).json()
    for path in ("/.well-known/consent-keys.json", "/.well-known/qr-keys.json", "/shc/.well-known/jwks.json"):
        others = (await client.get(path)).json()
        (read,) = read_jws([handed["record"]], others, ["ES256", "EdDSA"])
        assert "error" in read, path


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "==")
