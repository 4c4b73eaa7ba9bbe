"""Doses on the first page: due ones have buttons, an answer stands, and what is ahead waits."""

from tests.reminders.test_answers import at, planned
from tests.reminders.test_day import acts
from tests.support.pages import Browser
from tests.support.people import renew_session
from tests.support.reminding import Reminding, drug

DOSES = "/me/today/doses"


async def browser_of(here: Reminding) -> Browser:
    return Browser(here.client, "citizen", await renew_session(here.store, here.clock, here.citizen))


async def test_a_due_dose_is_answered_on_the_first_page(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 7, 10))
    browser = await browser_of(here)
    page = await browser.get("/")
    assert "07:00" in page.text
    assert "Chưa đến giờ" in page.text, "the evening's waits"
    assert len([one for one in page.tree.iter("form") if one.get("action") == DOSES]) == 1
    answered = await browser.submit(page, DOSES, act="taken")
    assert answered.status == 200
    assert "đã uống" in answered.text
    assert not [one for one in answered.tree.iter("form") if one.get("action") == DOSES]
    assert await acts(here) == [("22 07:00", "taken"), ("22 20:00", None)]


async def test_an_answer_of_another_form_is_refused_in_the_page(here: Reminding) -> None:
    await planned(here)
    await here.until(at(22, 7, 10))
    browser = await browser_of(here)
    page = await browser.get("/")
    wrong = await browser.submit(page, DOSES, act="doubled")
    assert wrong.status == 400
    assert wrong.tree.find_class("nhsuk-error-summary")
    assert "07:00" in wrong.text
    assert await acts(here) == [("22 07:00", None), ("22 20:00", None)]


async def test_a_reminder_is_paused_and_resumed_on_the_page_of_medicines(here: Reminding) -> None:
    reminder_id = await planned(here)
    browser = await browser_of(here)
    page = await browser.get("/me/medicines")
    assert "Đang nhắc" in page.text
    address = f"/me/medicines/reminders/{reminder_id}"
    paused = await browser.submit(page, address, act="pause")
    assert "Đang tạm dừng nhắc" in paused.text
    resumed = await browser.submit(paused, address, act="resume")
    assert "Đang tạm dừng nhắc" not in resumed.text


async def test_a_prescription_that_is_open_has_its_code_to_show(here: Reminding) -> None:
    await here.send(drug("1 viên/lần * 2 lần/ngày * 5 ngày [2 viên/ngày]"))
    browser = await browser_of(here)
    page = await browser.get("/me/medicines")
    (address,) = [one for one in page.links() if one.startswith("/me/medicines/code/")]
    code = await browser.get(address)
    assert code.tree.find_class("picture--qr")[0].find("img").get("src").startswith("data:image/png;base64,")
    assert "không mở sổ sức khỏe" in code.text
