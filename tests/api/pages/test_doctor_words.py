"""What a doctor's pages say of a result with parts and of a dose that somebody objects to."""

from typing import Any

import pytest

from api.pages.doctor.summary_view import sheet_of
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.consent import granted
from tests.support.http import client_of
from tests.support.pages import Browser
from tests.support.people import make_citizen, make_doctor, make_facility
from tests.support.record import our_id, write


def summary(*results: dict[str, Any]) -> dict[str, Any]:
    section = {"key": "results", "state": "listed", "items": list(results), "more": False}
    return {"sections": [section]}


@pytest.mark.parametrize(("flag", "is_flagged"), [("critical-high", True), ("normal", False), (None, False)])
def test_a_part_out_of_range_marks_its_result(flag: str | None, is_flagged: bool) -> None:
    plain = {"id": "1", "title": "Natri máu", "flag": "normal", "date": "2026-11-01"}
    panel = {
        "id": "2",
        "title": "Công thức máu",
        "flag": None,
        "date": "2026-10-01",
        "parts": [{"flag": flag}],
    }
    sheet = sheet_of(summary(plain, panel), None)
    assert sheet.is_flagged is is_flagged
    first = sheet.parts["results"].rows[0].first["title"]
    assert first == ("Công thức máu" if is_flagged else "Natri máu")


async def test_a_dose_that_the_person_objects_to_is_marked(
    store: Store, owner: Store, clock: FrozenClock
) -> None:
    person = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    given: dict[str, Any] = {"resourceType": "Immunization", "id": "mmr", "status": "completed"}
    given |= {"occurrenceDateTime": "2026-03-01", "vaccineCode": {"text": "Sởi"}}
    await write(store, person.patient_id, [given], clock.now())
    await granted(store, clock, doctor, person)
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        browser = Browser(client, "staff", doctor.token)
        address = f"/doctor/patients/{person.patient_id}/vaccination"
        assert "Đang đề nghị sửa" not in (await browser.get(address)).text
        async with owner.transaction() as tx:
            sql = "UPDATE ehr_resource SET contested = true WHERE patient_id = $1 AND id = $2"
            await tx.execute(sql, person.patient_id, our_id("a", "mmr"))
        assert "Đang đề nghị sửa" in (await browser.get(address)).text


async def test_what_the_grant_leaves_out_is_not_said_to_be_unknown(store: Store, clock: FrozenClock) -> None:
    person = await make_citizen(store, clock)
    doctor = await make_doctor(store, clock, await make_facility(store, clock))
    await granted(store, clock, doctor, person, types=frozenset({"AllergyIntolerance", "Device"}))
    async with client_of(store, clock, allowed_hosts=["localhost"]) as client:
        page = await Browser(client, "staff", doctor.token).get(f"/doctor/patients/{person.patient_id}")
    heading = page.tree.get_element_by_id("pregnancy")
    said = " ".join(heading.getparent().text_content().split())
    assert "Thai kỳ:Không được cho xem (ngoài phạm vi đã đồng ý)." in said
    assert "Thiết bị trong người:Chưa có trong sổ: chưa ai hỏi hoặc ghi." in said
