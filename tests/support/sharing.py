"""A citizen's app that makes links and codes, and a viewer that opens links, over HTTP."""

import base64
import json
import secrets
import zlib
from datetime import datetime
from typing import Any

import httpx
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support.http import bearer
from tests.support.people import Citizen
from tests.support.phone import base64url

ENVIRONMENT = "production"
RECIPIENT = "Dr. Weber, Berlin"


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(
    citizen: Citizen, typ: str, facts: dict[str, Any], now: datetime, **changes: Any
) -> dict[str, Any]:
    """The SignedAct of an act; `changes` replace members of the signed text only."""
    instant = int(now.timestamp())
    act = {"nonce": base64url(secrets.token_bytes(16)), "iat": instant, "exp": instant + 120}
    text = {
        "typ": typ,
        "environment": ENVIRONMENT,
        "patient_id": str(citizen.patient_id),
        "device_id": str(citizen.actor.device_id),
        **act,
        **facts,
        **changes,
    }
    return act | {"signature": citizen.phone.step_up_key.sign(rfc8785.dumps(text))}


def link_body(citizen: Citizen, now: datetime, **wish: Any) -> dict[str, Any]:
    facts = {
        "label": "Cho bác sĩ ở Berlin",
        "long_term": False,
        "duration_seconds": 86400,
        "passcode": None,
        "papers": [],
        "documents": [],
    } | wish
    return facts | {"signed": signed(citizen, "share-link", facts, now)}


async def make_link(
    client: httpx.AsyncClient, citizen: Citizen, now: datetime, key: str | None = None, **wish: Any
) -> httpx.Response:
    headers = bearer(citizen.token) | ({"Idempotency-Key": key} if key else {})
    return await client.post("/v1/me/share-links", json=link_body(citizen, now, **wish), headers=headers)


async def link_of(client: httpx.AsyncClient, citizen: Citizen, now: datetime, **wish: Any) -> "Link":
    made = await make_link(client, citizen, now, **wish)
    assert made.status_code == 201, made.text
    return Link(made.json())


async def arm(
    client: httpx.AsyncClient, citizen: Citizen, link: "Link", now: datetime, passcode: str | None = None
) -> httpx.Response:
    facts = {"link_id": link.link_id, "passcode": passcode}
    body = {"passcode": passcode, "signed": signed(citizen, "share-link-arm", facts, now)}
    path = f"/v1/me/share-links/{link.link_id}/arm"
    return await client.post(path, json=body, headers=bearer(citizen.token))


async def confirm(client: httpx.AsyncClient, citizen: Citizen, link: "Link", now: datetime) -> httpx.Response:
    body = {"signed": signed(citizen, "share-link-confirm", {"link_id": link.link_id}, now)}
    path = f"/v1/me/share-links/{link.link_id}/confirm"
    return await client.post(path, json=body, headers=bearer(citizen.token))


async def revoke(client: httpx.AsyncClient, citizen: Citizen, link: "Link") -> httpx.Response:
    return await client.delete(f"/v1/me/share-links/{link.link_id}", headers=bearer(citizen.token))


class Link:
    """What the app was answered, and what a viewer reads from it."""

    def __init__(self, made: dict[str, Any]) -> None:
        self.link_id: str = made["link_id"]
        self.text: str = made["link"]
        self.passcode: str = made["passcode"]
        self.payload: dict[str, Any] = json.loads(unpadded(self.text.partition("shlink:/")[2]))

    @property
    def path(self) -> str:
        return httpx.URL(self.payload["url"]).path

    @property
    def key(self) -> bytes:
        return unpadded(self.payload["key"])

    async def open(self, client: httpx.AsyncClient, **body: Any) -> httpx.Response:
        """POST the manifest request, with the right passcode unless told otherwise."""
        wanted = {"recipient": RECIPIENT, "passcode": self.passcode} | body
        return await client.post(
            self.path, json={name: value for name, value in wanted.items() if value is not None}
        )

    async def files(self, client: httpx.AsyncClient, **body: Any) -> list[dict[str, Any]]:
        """Every file of one opening, decrypted."""
        answer = await self.open(client, **body)
        assert answer.status_code == 200, answer.text
        found = []
        for file in answer.json()["files"]:
            text = file.get("embedded")
            if text is None:
                fetched = await client.get(httpx.URL(file["location"]).path)
                assert fetched.status_code == 200, fetched.text
                text = fetched.text
            found.append(json.loads(self.decrypt(text)))
        return found

    def decrypt(self, text: str) -> bytes:
        """RFC 7516 by hand: dir, A256GCM, raw deflate."""
        head, wrapped, iv, sealed, tag = text.split(".")
        header = json.loads(unpadded(head))
        assert (header["alg"], header["enc"], wrapped) == ("dir", "A256GCM", "")
        assert header["cty"] == "application/fhir+json"
        clear = AESGCM(self.key).decrypt(unpadded(iv), unpadded(sealed) + unpadded(tag), head.encode())
        return zlib.decompress(clear, -15) if header.get("zip") == "DEF" else clear
