"""Breaking the glass on a page: loud before, logged, reviewed; and what the person's own devices measured."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from consent.emergency.models import Emergency
from consent.emergency.policy import ATTESTATION
from kernel.access import RecordType
from store.database import Store
from tests.support.batches import Sender, batch, sample, sender
from tests.support.clock import FrozenClock
from tests.support.consent import granted, read
from tests.support.emergency import WHY, Unit, make_unit
from tests.support.http import bearer, client_of
from tests.support.pages import Browser
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility
from tests.support.record import write

WEARABLE: RecordType = "Observation.wearable"
PENICILLIN = {
    "resourceType": "AllergyIntolerance",
    "id": "allergy",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"text": "Penicilin"},
}
PATH = "/doctor/emergency"


@pytest.fixture
async def client(store: Store, clock: FrozenClock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, allowed_hosts=["localhost"]) as opened:
        yield opened


@pytest.fixture
async def unit(store: Store, clock: FrozenClock) -> Unit:
    return await make_unit(store, clock)


@pytest.fixture
async def person(store: Store, clock: FrozenClock) -> Citizen:
    made = await make_citizen(store, clock, name="Nguyễn Văn Hùng")
    await write(store, made.patient_id, [PENICILLIN], clock.now())
    return made


def said(person: Citizen, **changes: str) -> dict[str, Any]:
    known = {"subject": person.number, "reason": "unconscious", "text": WHY, "attestation": ATTESTATION}
    return known | changes


async def test_a_doctor_of_the_unit_opens_and_the_bar_says_on_what_ground(
    client: httpx.AsyncClient, unit: Unit, person: Citizen
) -> None:
    await unit.arrive(person)
    await unit.fresh(unit.doctor)
    browser = Browser(client, "staff", unit.doctor.token)
    page = await browser.get(PATH)
    assert page.tree.find_class("alarm")
    for warning in ("được báo ngay", "nhật ký của người bệnh", "72 giờ"):
        assert warning in page.text
    opened = await browser.submit(page, PATH, **said(person))
    assert opened.status == 200
    (bar,) = opened.tree.find_class("grant-bar--emergency")
    assert "Không có sự đồng ý của người bệnh" in bar.text_content()
    assert "Penicilin" in opened.text
    again = await browser.get(PATH)
    assert f"/doctor/patients/{person.patient_id}" in again.links(), "the own opening is found again"
    colleague = Browser(client, "staff", unit.colleague.token)
    assert str(person.patient_id) not in (await colleague.get(PATH)).response.text


async def _running(client: httpx.AsyncClient, unit: Unit) -> list[dict[str, Any]]:
    answer = await client.get("/v1/doctor/emergency-access", headers=bearer(unit.doctor.token))
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize(
    "changes",
    [{"text": "cấp cứu"}, {"attestation": "tôi xác nhận"}, {"reason": "curiosity"}, {"attestation": ""}],
)
async def test_what_is_not_reasoned_opens_nothing_and_keeps_what_was_typed(
    client: httpx.AsyncClient, unit: Unit, person: Citizen, changes: dict[str, str]
) -> None:
    await unit.arrive(person)
    await unit.fresh(unit.doctor)
    browser = Browser(client, "staff", unit.doctor.token)
    refused = await browser.submit(await browser.get(PATH), PATH, **said(person, **changes))
    assert refused.status == 400
    assert refused.tree.find_class("nhsuk-error-summary")
    assert refused.tree.get_element_by_id("subject").get("value") == person.number
    assert await read(unit.store, unit.clock, unit.doctor, person.patient_id) == "no-access"


async def test_after_five_minutes_a_one_time_password_comes_along(
    client: httpx.AsyncClient, unit: Unit, person: Citizen
) -> None:
    await unit.arrive(person)
    await unit.fresh(unit.doctor)
    unit.clock.advance(minutes=6)
    browser = Browser(client, "staff", unit.doctor.token)
    page = await browser.get(PATH)
    stale = await browser.submit(page, PATH, **said(person))
    assert stale.status == 403
    assert "Nhập mã xác thực một lần" in stale.text
    wrong = await browser.submit(page, PATH, **said(person, totp="12"))
    assert wrong.status >= 400
    totp = unit.doctor.totp(unit.clock)
    for _ in range(2):
        opened = await browser.submit(page, PATH, **said(person, totp=f"{totp[:3]} {totp[3:]}"))
        assert "Penicilin" in opened.text, "whoever pressed twice stands where the first press led"
    own = [one for one in (await _running(client, unit)) if one["own"]]
    assert len(own) == 1


async def test_a_colleague_signs_with_an_own_password(
    client: httpx.AsyncClient, unit: Unit, person: Citizen
) -> None:
    made = await unit.opened(person)
    assert isinstance(made, Emergency)
    await unit.fresh(unit.nurse)
    nurse = Browser(client, "staff", unit.nurse.token)
    page = await nurse.get(PATH)
    action = f"{PATH}/{made.emergency_id}/co-sign"
    wrong = await nurse.submit(page, action, act="extend", totp="1")
    assert wrong.status >= 400
    unit.clock.advance(seconds=40)
    signed = await nurse.submit(page, action, act="extend", totp=unit.nurse.totp(unit.clock))
    assert "Bạn đã ký cùng" in signed.text, signed.text
    assert f"/doctor/patients/{person.patient_id}" not in signed.links()


async def test_who_works_elsewhere_is_told_so(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, person: Citizen
) -> None:
    facility = await make_facility(store, clock)
    for role in ("doctor", "pharmacist"):
        one = await make_doctor(store, clock, facility, role=role)
        page = await Browser(client, "staff", one.token).get(PATH)
        assert page.status == 200
        assert "không thuộc đơn vị cấp cứu" in page.text
        assert not page.tree.find_class("alarm")


async def test_forms_of_elsewhere_break_nothing(
    client: httpx.AsyncClient, unit: Unit, person: Citizen
) -> None:
    made = await unit.opened(person)
    await unit.fresh(unit.colleague)
    browser = Browser(client, "staff", unit.colleague.token)
    for path in (PATH, f"{PATH}/{made.emergency_id}/co-sign"):
        assert (await browser.post(path, said(person))).status == 403


async def test_english(client: httpx.AsyncClient, unit: Unit) -> None:
    await unit.fresh(unit.doctor)
    browser = Browser(client, "staff", unit.doctor.token)
    browser.cookies["display"] = "en.normal.auto"
    page = await browser.get(PATH)
    assert "What happens next" in page.text
    assert ATTESTATION in page.text, "the sentence is typed as the contract has it"


# -- what was measured at home


@pytest.fixture
async def phone(store: Store, clock: FrozenClock) -> AsyncIterator[Sender]:
    async with sender(store, clock) as opened:
        sent = await opened.send(batch(sample(1), sample(2, "weight", 61.5, "kg")))
        assert sent.json()["stored"] == 2, sent.text
        yield opened


async def test_home_values_show_where_the_grant_names_them(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, phone: Sender
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, phone.citizen, types=frozenset({WEARABLE}))
    clock.advance(minutes=1)
    browser = Browser(client, "staff", doctor.token)
    base = f"/doctor/patients/{phone.citizen.patient_id}"
    page = await browser.get(f"{base}/home-vitals")
    assert "61,5" in page.text
    kinds = [link for link in page.links() if link.startswith(f"{base}/home-vitals/") and link[-1].isdigit()]
    assert len(kinds) == 2
    for link in kinds:
        one = await browser.get(link)
        assert one.status == 200
        assert [img for img in one.tree.iter("img") if img.get("src", "").startswith("data:image/svg")]
        assert list(one.tree.iter("table"))
    assert (await browser.get(f"{kinds[0]}/century")).status == 404
    alerts = await browser.get(f"{base}/home-vitals/alerts")
    assert "Không có số đo ngoài ngưỡng" in alerts.text
    summary = await browser.get(base)
    assert f"{base}/home-vitals" in summary.links()


async def test_home_values_outside_the_grant_are_said_and_not_asked_for(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, phone: Sender
) -> None:
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, phone.citizen)
    browser = Browser(client, "staff", doctor.token)
    base = f"/doctor/patients/{phone.citizen.patient_id}/home-vitals"
    for path in (base, f"{base}/1", f"{base}/alerts"):
        page = await browser.get(path)
        assert page.status == 200
        assert "nằm ngoài phạm vi được xem" in page.text
    listed = await client.get("/v1/me/access-log", headers=bearer(phone.citizen.token))
    assert not [one for one in listed.json()["items"] if one["action"].startswith("record:")]
