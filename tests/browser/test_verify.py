"""/verify in a browser: every state of a certificate, without a network, and what stays of it."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route

from healthbook.demo_sheet import DemoSheet
from qr.draw import png
from tests.browser.conftest import Person
from tests.journeys.conftest import People
from tests.support.chromium import Watched, axe
from tests.support.hc1_texts import CLAIMS, CONTENT, NOW, es256, hc1
from vaccination.revocation.hashes import hashes_of

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
SIGNER = es256()
REVOKED = hc1(
    SIGNER, CLAIMS | {-260: {1: CONTENT | {"v": [CONTENT["v"][0] | {"ci": "URN:UVCI:01:VN:GONE"}]}}}
)
NOTHING_OF_ELSEWHERE = ("HC2:ABC", "https://example.invalid/", "SSK1:7K2M9QH4T6ZP0WXB", "xin chào")


def lists(route: Route) -> None:
    """The public lists with a signer of the test's own, whose certificates it can make as it likes."""
    path = route.request.url.partition("/v1/public/certificates/")[2]
    issued_at = NOW.isoformat()
    kid = SIGNER.kid
    gone = hashes_of("VN", "URN:UVCI:01:VN:GONE", -7, b"")["uci"].hex()
    key = {
        "certificateType": "DSC",
        "country": "VN",
        "kid": kid,
        "rawData": base64.b64encode(SIGNER.certificate).decode(),
        "timestamp": issued_at,
    }
    answers: dict[str, Any] = {
        "keys": {"certificates": [key], "issued_at": issued_at},
        "revocations": {"lists": [{"kid": kid, "changes": 1, "changed_at": issued_at}]},
    }
    page = {"kid": kid, "changes": 1, "hashes": {"uci": [gone]}, "issued_at": issued_at}
    route.fulfill(json=answers.get(path, page))


@pytest.fixture
def tab(browser: Browser, base: str) -> Iterator[Page]:
    """The page on the day of the test's certificates, with the test's lists and without a worker."""
    context = browser.new_context(locale="vi-VN", service_workers="block")
    watched = Watched(context, base)
    context.clock.set_fixed_time(NOW)
    context.route(re.compile("/v1/public/certificates/(keys|revocations)"), lists)
    opened = watched.page("/verify")
    opened.get_by_text("tải về lúc").wait_for()
    yield opened
    context.close()
    watched.require_clean()


def word(tab: Page) -> str:
    heading = tab.locator("#verdict h2").first
    heading.wait_for()
    return heading.inner_text()


def checked(tab: Page, text: str, at: datetime | None = None) -> str:
    if at is not None:
        tab.context.clock.set_fixed_time(at)
    if tab.locator("#again").is_visible():
        tab.locator("#again").click()
    tab.locator("#text").fill(text)
    tab.get_by_role("button", name="Kiểm tra", exact=True).click()
    return word(tab)


def test_every_state_has_its_words(tab: Page) -> None:
    text = hc1(SIGNER)
    assert checked(tab, text) == "Hợp lệ"
    said = tab.locator("#verdict").inner_text()
    for one in (
        "Nguyễn Bảo Duy",
        "NGUYEN BAO DUY",
        "10/10/1983",
        "Vaxzevria",
        "2/2",
        "18/03/2026",
        "Trạm y tế xã A",
    ):
        assert one in said
    assert tab.evaluate("document.activeElement.closest('#verdict') !== null")
    assert axe(tab) == []
    assert checked(tab, REVOKED) == "Đã thu hồi"
    assert checked(tab, hc1(es256())) == "Không rõ nơi cấp"
    changed = text[:60] + ("A" if text[60] != "A" else "B") + text[61:]
    assert checked(tab, changed) == "Giả hoặc hỏng"
    for other in NOTHING_OF_ELSEWHERE:
        assert checked(tab, other) == "Không phải chứng nhận"
    assert checked(tab, text, NOW - timedelta(days=30)) == "Chưa có hiệu lực"
    assert "Có hiệu lực từ 22/05/2026" in tab.locator("#verdict").inner_text()
    assert checked(tab, text, NOW + timedelta(days=320)) == "Hết hạn"
    for nobody in ("Nguyễn", "1983"):
        assert nobody not in tab.locator("#verdict").inner_text()
    assert axe(tab) == []


def test_old_lists_say_nothing(tab: Page) -> None:
    tab.context.set_offline(True)
    assert checked(tab, hc1(SIGNER), NOW + timedelta(days=29)) == "Hợp lệ"
    assert checked(tab, hc1(SIGNER), NOW + timedelta(days=31)) == "Chưa kết luận được"


def test_words_of_strangers_stay_words(tab: Page) -> None:
    entry = {"dn": 1, "sd": 1, "dt": HOSTILE, "mp": HOSTILE, "is": HOSTILE, "co": "VN"}
    content = CONTENT | {"nam": {"fn": HOSTILE, "gn": HOSTILE, "fnt": HOSTILE}, "dob": HOSTILE, "v": [entry]}
    assert checked(tab, hc1(SIGNER, CLAIMS | {-260: {1: content}})) == "Hợp lệ"
    assert tab.locator("#verdict img, #verdict script").count() == 0
    assert "<img src=x" in tab.locator("#verdict").inner_text()
    assert tab.title().startswith("Kiểm tra")


def test_the_service_is_asked_only_on_demand(tab: Page) -> None:
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    assert checked(tab, hc1(es256())) == "Không rõ nơi cấp"
    assert sent == []
    with tab.expect_response("**/v1/public/certificates/verify"):
        tab.get_by_role("button", name="Hỏi hệ thống").click()
    assert len(sent) == 1
    assert word(tab) == "Không rõ nơi cấp"


def test_what_stands_in_the_address_is_gone_at_once(tab: Page, base: str) -> None:
    seen: list[str] = []
    tab.on("request", lambda request: seen.append(request.url))
    for hash_of in (quote(hc1(SIGNER), safe=""), quote(hc1(SIGNER), safe=":/$*+-.")):
        tab.goto("about:blank")
        tab.goto(f"{base}/verify#{hash_of}")
        assert word(tab) == "Hợp lệ"
        assert tab.url == f"{base}/verify"
    assert not any("HC1" in url.partition("#")[0] for url in seen)


def own_certificate(people: People) -> str:
    app = people.app("hung")
    listed = app.get("/v1/me/certificates")["doses"]
    one = next(dose["certificate"] for dose in listed if dose["certificate"])
    return str(app.get(f"/v1/me/certificates/{one['certificate_id']}/text")["text"])


def test_s4_a_demos_certificate_without_a_network_after_one_visit(person: Person, people: People) -> None:
    text = own_certificate(people)
    watched = person(width=390, height=844)
    tab = watched.page("/verify")
    tab.get_by_text("tải về lúc").wait_for()
    tab.evaluate("navigator.serviceWorker.ready.then(() => null)")
    watched.context.set_offline(True)
    tab.reload()
    tab.get_by_text("Đang không có mạng").wait_for()
    assert checked(tab, text) == "Hợp lệ"
    assert "mã nước XX" in tab.locator("#verdict").inner_text()
    assert "Nguyễn Văn Hùng" in tab.locator("#verdict").inner_text()
    assert not tab.get_by_role("button", name="Hỏi hệ thống").is_visible()
    kept = json.dumps(tab.evaluate(KEPT))
    assert "verify-lists" in kept
    assert text not in kept
    assert "Hùng" not in kept


# Everything that the browser keeps of the page.
KEPT = """async () => {
  const found = {local: {...localStorage}, session: {...sessionStorage}};
  for (const name of await caches.keys()) {
    const store = await caches.open(name);
    const texts = [];
    for (const request of await store.keys()) {
      texts.push(request.url.includes("/static/") ? request.url : await (await store.match(request)).text());
    }
    found[name] = texts;
  }
  return found;
}"""


def test_a_health_card_is_judged_here_too(person: Person, people: People, sheet: DemoSheet) -> None:
    child = next(one for one in sheet.children if one.key == "bao-anh")
    app = people.app(child.guardian)
    named = {"X-Patient-Id": child.patient_id, "Idempotency-Key": "a-card-for-the-page"}
    made = app.api.ask(
        "POST", "/v1/me/health-cards", 201, token=app.token(), body={"book": "childhood"}, headers=named
    )
    own = {"X-Patient-Id": child.patient_id}
    card = json.dumps(app.get(f"/v1/me/health-cards/{made['card_id']}", headers=own))
    text = re.findall(r"shc:/[0-9]+", card)[0]
    tab = person().page("/verify")
    tab.get_by_text("tải về lúc").wait_for()
    assert checked(tab, text) == "Hợp lệ"
    assert child.name in tab.locator("#verdict").inner_text()
    assert "Phòng" in tab.locator("#verdict .cards > li").first.inner_text()
    assert tab.locator("#verdict .cards > li").count() > 5
    # Not the last letter: some of its bits belong to no byte of the signature.
    changed = "44" if text[-10:-8] != "44" else "45"
    assert checked(tab, text[:-10] + changed + text[-8:]) == "Giả hoặc hỏng"


def test_s4_without_script_the_form_asks_the_service_which_knows_its_demo(
    person: Person, people: People
) -> None:
    tab = person(script=False).page("/verify")
    tab.locator("#text").fill(own_certificate(people))
    tab.get_by_role("button", name="Kiểm tra", exact=True).click()
    assert word(tab) == "Hợp lệ"
    assert tab.url.endswith("/verify")
    assert "mã nước XX" in tab.locator("#verdict").inner_text()


def test_a_picture_is_read_and_judged_here(person: Person, people: People, tmp_path: Path) -> None:
    (tmp_path / "code.png").write_bytes(png(own_certificate(people)))
    watched = person()
    tab = watched.page("/verify")
    tab.get_by_text("tải về lúc").wait_for()
    before = len(watched.requests)
    tab.locator("[data-picture]").set_input_files(tmp_path / "code.png")
    assert word(tab) == "Hợp lệ"
    later = [url for url in watched.requests[before:] if "/static/" not in url]
    assert later == []


def test_by_keyboard_alone(person: Person, people: People) -> None:
    text = own_certificate(people)
    tab = person().page("/verify")
    tab.get_by_text("tải về lúc").wait_for()
    tab.locator("#text").focus()
    tab.keyboard.insert_text(text)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert word(tab) == "Hợp lệ"
    tab.locator("#again").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#text").input_value() == ""
    assert tab.locator("#verdict h2").count() == 0
