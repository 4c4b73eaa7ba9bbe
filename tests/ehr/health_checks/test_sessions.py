"""A session by file: a class of 45 with a reason for each row that is wrong, and files of every spelling."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ehr.health_checks.sessions import columns_of
from ehr.health_checks.templates import form_of
from ehr.intake.models import BadInputError
from ehr.rows.models import ROWS_MAX
from ehr.rows.reading import CSV, read_rows
from store.database import Store
from tests.ehr.intake.records import rows
from tests.support.clock import FrozenClock
from tests.support.fuzz import FULL
from tests.support.health_checks import PLACE, SESSION, fields, send, table
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen, make_doctor, make_facility, make_machine

PUPILS = 45
FORM = form_of("831-d", None)
assert FORM is not None
COLUMNS = columns_of(FORM)


async def pupils(store: Store, clock: FrozenClock, count: int = PUPILS) -> list[Citizen]:
    return [await make_citizen(store, clock, name=f"Nguyễn Văn Bé {n}") for n in range(count)]


def class_of(people: list[Citizen]) -> list[dict[str, str]]:
    return [fields(one, f"3A-{n:03}") for n, one in enumerate(people, start=1)]


async def checks_of(client: httpx.AsyncClient, one: Citizen) -> list[dict[str, Any]]:
    listed = await client.get("/v1/me/health-checks", headers=bearer(one.token))
    assert listed.status_code == 200, listed.text
    items: list[dict[str, Any]] = listed.json()["items"]
    return items


async def test_a_class_of_45_is_taken_in_with_a_reason_for_each_bad_row(
    store: Store, clock: FrozenClock
) -> None:
    people = await pupils(store, clock)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    sheet = class_of(people)
    sheet[4] |= {"CANNANG": "2850"}
    sheet[9] |= {"birth_date": "30/02/2017"}
    sheet[14] |= {"national_id": "79"}
    sheet[19] |= {"full_name": ""}
    sheet[24] |= {"SUDUNGKINH": "thỉnh thoảng", "NHIETDO": "nóng"}
    sheet[29] |= {"done_on": "2026-12-31"}
    bad = {6: ["implausible CANNANG"], 11: ["bad-date birth_date"], 16: ["bad-identifier national_id"]}
    bad |= {21: ["missing-field full_name"], 26: ["bad-number NHIETDO", "bad-code SUDUNGKINH"]}
    bad |= {31: ["future-date done_on"]}
    async with client_of(store, clock) as client:
        sent = await send(client, nurse.token, table(sheet, delimiter=";"))
        assert sent.status_code == 202, sent.text
        receipt = sent.json()
        assert receipt["file"]["status"] == "done"
        assert (receipt["file"]["rows_accepted"], receipt["file"]["rows_refused"]) == (39, 6)
        told = {
            one["row"]: [f"{r['code']} {r['where']}" for r in one["reasons"]]
            for one in receipt["rows"]
            if one["status"] == "refused"
        }
        assert told == bad
        for place in (0, 12, 44):
            (shown,) = await checks_of(client, people[place])
            assert (shown["health_class"], shown["kind"]) == ("Loại I", "school")
        for row in bad:
            assert await rows(store, people[row - 2].patient_id) == []
        for secret in (people[0].number, people[0].name, "2850", "nóng", str(people[0].patient_id)):
            assert secret not in sent.text
        # The corrected file is another file; what stood unchanged makes no new version.
        before = await rows(store, people[0].patient_id)
        again = await send(client, nurse.token, table(class_of(people)))
        assert again.json()["file"]["rows_accepted"] == PUPILS
        assert await rows(store, people[0].patient_id) == before
        for one in people:
            assert len(await checks_of(client, one)) == 1
        files = await client.get(SESSION, headers=bearer(nurse.token))
        assert len(files.json()["files"]) == 2
        place_ = f"{SESSION}/{receipt['file']['file_id']}"
        assert (await client.get(place_, headers=bearer(nurse.token))).json() == receipt


async def test_a_row_is_amended_and_withdrawn_by_the_id_of_its_receipt(
    store: Store, clock: FrozenClock
) -> None:
    people = await pupils(store, clock, 2)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    body = table(class_of(people))
    async with client_of(store, clock) as client:
        sent = await send(client, nurse.token, body)
        first, second = (one["id"] for one in sent.json()["rows"])
        done = await client.post(f"{PLACE}/{first}/withdraw", headers=bearer(nurse.token))
        assert done.json()["status"] == "withdrawn"
        # The same file leaves it withdrawn; a new one that names it says so.
        assert (await send(client, nurse.token, body)).json() == sent.json()
        assert await checks_of(client, people[0]) == []
        other = await send(client, nurse.token, body + b"\r\n")
        refused, accepted = other.json()["rows"]
        assert refused["reasons"] == [{"code": "health-check-withdrawn", "where": "check_number"}]
        assert (accepted["status"], accepted["id"]) == ("accepted", second)


async def test_a_number_that_moves_to_another_person_leaves_the_first_ones_book(
    store: Store, clock: FrozenClock
) -> None:
    people = await pupils(store, clock, 2)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    async with client_of(store, clock) as client:
        await send(client, nurse.token, table([fields(people[0], "3A-001")]))
        await send(client, nurse.token, table([fields(people[1], "3A-001")]))
        assert await checks_of(client, people[0]) == []
        assert len(await checks_of(client, people[1])) == 1


async def test_s3_the_same_numbers_of_another_facility_are_other_checks(
    store: Store, clock: FrozenClock
) -> None:
    people = await pupils(store, clock, 2)
    nurses = [await make_doctor(store, clock, await make_facility(store, clock), role="nurse") for _ in "ab"]
    async with client_of(store, clock) as client:
        sent = [await send(client, one.token, table(class_of(people))) for one in nurses]
        assert sent[0].json()["rows"] != sent[1].json()["rows"]
        file_id = sent[0].json()["file"]["file_id"]
        other = await client.get(f"{SESSION}/{file_id}", headers=bearer(nurses[1].token))
        assert (other.status_code, other.json()["code"]) == (404, "rows-not-found")
        assert len(await checks_of(client, people[0])) == 2


async def test_json_rows_and_a_facilitys_own_system(store: Store, clock: FrozenClock) -> None:
    (one,) = await pupils(store, clock, 1)
    machine = await make_machine(store, clock, await make_facility(store, clock))
    row: dict[str, Any] = fields(one, "1") | {"CANNANG": 0, "MACH": None}
    text = json.dumps([row]).replace('"CANNANG": 0', '"CANNANG": 28.50')
    async with client_of(store, clock) as client:
        sent = await send(client, machine.token, text.encode(), "application/json")
        assert sent.json()["rows"][0]["status"] == "accepted", sent.text
        (shown,) = await checks_of(client, one)
        place = f"/v1/me/health-checks/{shown['id']}"
        detail = (await client.get(place, headers=bearer(one.token))).json()
    answers = {a["name"]: a["value"] for part in detail["sections"] for a in part["answers"]}
    assert answers["CANNANG"] == "28.50"
    assert "MACH" not in answers


async def test_files_that_cannot_be_read_are_refused_whole(store: Store, clock: FrozenClock) -> None:
    (one,) = await pupils(store, clock, 1)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    good = fields(one, "1")
    heading = ",".join(good)
    files = {
        "bad-encoding file": table([good]).decode("utf-8-sig").encode("utf-16"),
        "no-rows rows": heading.encode(),
        "missing-column check_number": table([{k: v for k, v in good.items() if k != "check_number"}]),
        "unknown-column columns[2]": b"full_name,<script>alert(1)</script>\r\na,b",
        "duplicate-column CANNANG": f"{heading},CANNANG\r\n".encode(),
        "bad-csv file": f'{heading}\r\n"a"b,'.encode(),
        "too-many-rows rows": (heading + "\r\nx" * (ROWS_MAX + 2)).encode(),
    }
    async with client_of(store, clock) as client:
        for place, body in files.items():
            sent = await send(client, nurse.token, body)
            assert (sent.status_code, sent.json()["code"]) == (422, "rows-unreadable"), place
            assert place in sent.text
            assert "script" not in sent.text
        for body in (b"{}", b'[{"a":', b"[]"):
            sent = await send(client, nurse.token, body, "application/json")
            assert (sent.status_code, sent.json()["code"]) == (422, "rows-unreadable")
        assert (await send(client, nurse.token, b"x", "application/xml")).status_code == 415
        assert (await send(client, nurse.token, b"x" * (2 * 1024 * 1024 + 1))).status_code == 413
        assert (await send(client, nurse.token, table([good]), kind="army")).status_code == 400
    assert await rows(store, one.patient_id) == []


async def test_headings_may_be_said_in_vietnamese(store: Store, clock: FrozenClock) -> None:
    (one,) = await pupils(store, clock, 1)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    titles = {column.name: column.title for column in COLUMNS if column.title}
    good = {titles.get(name, name).upper(): text for name, text in fields(one, "1").items()}
    assert "SỐ ĐỊNH DANH CÁ NHÂN" in good
    async with client_of(store, clock) as client:
        sent = await send(client, nurse.token, table([good], delimiter=";", bom=False))
        assert sent.json()["rows"][0]["status"] == "accepted", sent.text


async def test_two_files_of_one_account_wait_for_each_other(store: Store, clock: FrozenClock) -> None:
    people = await pupils(store, clock, 8)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    async with client_of(store, clock) as client:
        sent = await asyncio.gather(
            *(send(client, nurse.token, table([fields(one, f"{n}")])) for n, one in enumerate(people))
        )
    assert {one.status_code for one in sent} <= {202, 429}
    assert 202 in {one.status_code for one in sent}


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], include_characters='",;\r\n\x00\ufeff<>=+@ÁđHIV0129/.-'),
    max_size=24,
)
BAD = st.lists(
    st.dictionaries(st.sampled_from([column.name for column in COLUMNS]), CELLS, max_size=8),
    min_size=1,
    max_size=6,
)


@settings(max_examples=400 if FULL else 40, deadline=None)
@given(bad=BAD, as_json=st.booleans(), delimiter=st.sampled_from([",", ";"]))
def test_any_rows_are_read_or_refused_by_name(
    bad: list[dict[str, str]], as_json: bool, delimiter: str
) -> None:
    """Whatever stands in the cells: no other error, every row answered, no value repeated."""
    names = [column.name for column in COLUMNS]
    whole = [{name: row.get(name, "") for name in names} for row in bad]
    body = json.dumps(whole).encode() if as_json else table(whole, delimiter)
    try:
        read = read_rows(body, "application/json" if as_json else CSV, COLUMNS)
    except BadInputError:
        return
    known = {*names, "row", "file", "rows"}
    for one in read:
        assert (one.row is None) == bool(one.reasons)
        assert {reason.where for reason in one.reasons} <= known
        if one.row is not None:
            assert all(text == text.strip() != "" for text in one.row.fields.values())
    assert len(read) <= len(bad)


@settings(
    max_examples=60 if FULL else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changed=st.lists(
        st.dictionaries(st.sampled_from([c.name for c in COLUMNS]), CELLS, max_size=3), max_size=4
    )
)
async def test_bad_rows_beside_a_good_one_never_stop_it(
    store: Store, clock: FrozenClock, changed: list[dict[str, str]]
) -> None:
    (one,) = await pupils(store, clock, 1)
    nurse = await make_doctor(store, clock, await make_facility(store, clock), role="nurse")
    sheet = [{c.name: "" for c in COLUMNS} | fields(one, f"b{n}") | bad for n, bad in enumerate(changed)]
    sheet.append({c.name: "" for c in COLUMNS} | fields(one, "good"))
    async with client_of(store, clock) as client:
        sent = await send(client, nurse.token, json.dumps(sheet).encode(), "application/json")
        assert sent.status_code == 202, sent.text
        receipt = msgspec.json.decode(sent.content)
        assert receipt["rows"][-1]["status"] == "accepted"
        assert len(receipt["rows"]) == len(sheet)
        assert all(bool(row.get("reasons")) == (row["status"] == "refused") for row in receipt["rows"])
