"""The page /verify without script, and what its worker keeps."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.pages.verify_view import MEANINGS, meaning_of, vaccine_words
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.hc1_texts import CLAIMS, CONTENT, Signer, es256, hc1
from tests.support.http import client_of
from tests.support.pages import Browser, Page
from tests.support.signing_process import enrol_keys
from vaccination.signer.key_files import SignerKeys
from vaccination.verify.models import Status

HOSTILE = '<img src=x onerror="alert(1)">{{ 7*7 }}'


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def signer(owner: Store, clock: FrozenClock, tmp_path: Path) -> Signer:
    """Our own, with its private half."""
    enrolled = await enrol_keys(owner, tmp_path / "keys", clock.now(), 100)
    held = SignerKeys.load(tmp_path / "keys")
    one = next(one for (purpose, _), one in enrolled.items() if purpose == "hc1")
    return Signer.of(held.key(one.key_id), one.certificate)


async def checked(client: httpx.AsyncClient, text: str) -> Page:
    browser = Browser(client)
    return await browser.submit(await browser.get("/verify"), "/verify", text=text)


async def test_the_page_needs_nobody_and_names_nothing(client: httpx.AsyncClient) -> None:
    page = await Browser(client).get("/verify")
    assert page.status == 200
    assert page.tree.findtext(".//title") == "Kiểm tra chứng nhận tiêm chủng – Sổ sức khỏe điện tử"
    assert page.form("/verify")["text"] == ""
    assert page.tree.find(".//*[@id='lists']").get("data-issuer").endswith("/shc")
    english = Browser(client)
    english.cookies["display"] = "en.normal.auto"
    assert "Check a vaccination certificate" in (await english.get("/verify")).text


async def test_whoever_is_signed_in_leaves_nothing_in_the_kept_page(client: httpx.AsyncClient) -> None:
    page = await Browser(client, "citizen", "a-token-of-somebody").get("/verify")
    assert "Đăng xuất" not in page.text
    assert "a-token-of-somebody" not in page.response.text


async def test_the_service_answers_without_script(client: httpx.AsyncClient, signer: Signer) -> None:
    page = await checked(client, hc1(signer))
    assert page.tree.find(".//*[@id='verdict']/section").get("class") == "verdict verdict--good"
    for said in (
        "Hợp lệ",
        "Nguyễn Bảo Duy",
        "NGUYEN BAO DUY",
        "10/10/1983",
        "Vaxzevria",
        "18/03/2026",
        "2/2",
    ):
        assert said in page.text
    broken = hc1(signer)[:-6]
    for text, word in (
        (hc1(es256()), "Không rõ nơi cấp"),
        (broken, "Giả hoặc hỏng"),
        ("https://example.invalid", "Không phải chứng nhận"),
    ):
        page = await checked(client, text)
        assert page.tree.findtext(".//*[@id='verdict']/section/h2") == word
        assert page.tree.find(".//*[@id='verdict']//dl") is None


async def test_s4_a_demos_page_says_what_its_certificates_are_worth_and_a_real_one_has_no_such_word(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, signer: Signer
) -> None:
    said = "mã nước XX và không có giá trị"
    assert said not in (real := await checked(client, hc1(signer))).text
    assert "data-demo" not in real.response.text
    async with client_of(store, clock, demo=True, allowed_hosts=["localhost"]) as opened:
        page = await checked(opened, hc1(signer))
    good = page.tree.find(".//*[@id='verdict']/section")
    assert said in "".join(good.itertext())
    assert page.tree.find(".//*[@id='lists']").get("data-demo") is not None


async def test_line_breaks_are_no_part_of_a_code_and_blanks_are(
    client: httpx.AsyncClient, signer: Signer
) -> None:
    text = hc1(signer)
    assert "Hợp lệ" in (await checked(client, f"{text[:40]}\r\n{text[40:]}\r\n")).text
    assert "Hợp lệ" not in (await checked(client, text + " ")).tree.findtext(".//*[@id='verdict']/section/h2")


async def test_words_of_strangers_stay_words(client: httpx.AsyncClient, signer: Signer) -> None:
    entry = {"dn": 1, "sd": 1, "dt": HOSTILE, "mp": HOSTILE, "is": HOSTILE, "co": "VN"}
    content = CONTENT | {"nam": {"fn": HOSTILE, "fnt": HOSTILE}, "dob": HOSTILE, "v": [entry]}
    page = await checked(client, hc1(signer, CLAIMS | {-260: {1: content}}))
    assert "Hợp lệ" in page.text
    assert page.tree.find(".//*[@id='verdict']//img") is None
    assert "onerror=" in page.text


async def test_a_text_that_no_code_holds_is_a_refusal_on_the_page(client: httpx.AsyncClient) -> None:
    page = await checked(client, "HC1:" + "A" * 10_000)
    assert page.status == 400
    assert page.form("/verify")


async def test_the_form_is_of_this_page_alone(client: httpx.AsyncClient) -> None:
    assert (await Browser(client).post("/verify", {"text": "HC1:"})).status == 403


async def test_the_worker_keeps_what_the_page_needs(client: httpx.AsyncClient) -> None:
    answer = await client.get("/verify-worker.js")
    assert answer.headers["service-worker-allowed"] == "/verify"
    assert "javascript" in answer.headers["content-type"]
    first, _, _ = answer.text.partition(";\n")
    kept = json.loads(first.removeprefix("const FILES = "))
    assert all([(await client.get(path)).status_code == 200 for path in kept])
    page = await Browser(client).get("/verify")
    named = [one.get("src") for one in page.tree.iter("script")]
    named += [one.get("href") for one in page.tree.iter("link")]
    assert set(filter(None, named)) <= set(kept)
    assert any(path.endswith("vendor/qr/decode.js") for path in kept)


def test_every_status_has_one_meaning() -> None:
    said = [status for one in MEANINGS for status in one.statuses]
    assert sorted(said) == sorted(set(Status.__args__))  # type: ignore[attr-defined]
    assert meaning_of("TRUST_DATA_STALE").asks


def test_codes_have_words() -> None:
    words = vaccine_words()
    assert words["EU/1/20/1528"][0].startswith("Comirnaty")
    assert words["08"] == ("Phòng Viêm gan B", "Against Hepatitis B")
