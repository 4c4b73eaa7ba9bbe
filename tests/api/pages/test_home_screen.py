"""What a phone needs to put the book on its home screen; nothing of it works without a network."""

import io
import json

import httpx
import pytest
from PIL import Image

from api.pages.static import files, static_path
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import client_of
from tests.support.pages import Browser

MANIFEST = "app.webmanifest"


async def test_pages_name_the_manifest_and_an_icon_for_each_phone(store: Store, clock: FrozenClock) -> None:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        page = await Browser(client).get("/")
        named = {one.get("rel"): one.get("href") for one in page.tree.iter("link")}
        assert named["manifest"] == static_path(MANIFEST)
        assert named["apple-touch-icon"] == static_path("icon-180.png")
        answer = await client.get(named["manifest"])
        assert answer.headers["content-type"] == "application/manifest+json"
        for icon in answer.json()["icons"]:
            there = httpx.URL(str(answer.url)).join(icon["src"])
            assert (await client.get(there)).headers["content-type"] == icon["type"]


@pytest.mark.parametrize("side", [180, 192, 512])
def test_icons_have_the_size_they_say_and_no_corner_that_a_phone_would_fill(side: int) -> None:
    picture = Image.open(io.BytesIO(files()[f"icon-{side}.png"]))
    assert picture.size == (side, side)
    assert picture.convert("RGB").getpixel((0, 0)) == (0x00, 0x63, 0x5D)


def test_the_manifest_says_what_pages_say() -> None:
    said = json.loads(files()[MANIFEST])
    assert said["start_url"] == said["scope"] == said["id"] == "/"
    assert said["theme_color"].encode() in files()["icon.svg"]
    assert {one["src"] for one in said["icons"]} <= set(files())
