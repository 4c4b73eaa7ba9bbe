"""What stands on paper."""

from datetime import UTC, datetime

import msgspec

from ehr.exports.lines import day_text, detail_text
from ehr.exports.papers import Gathered, build_book, build_sheet
from ehr.exports.queries import BookRow
from ehr.models import Item, Range
from ehr.reads.models import Person, Summary, SummarySection
from tests.support.exports import pdf_pages

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def medicine(number: int, dose: str) -> Item:
    return Item(
        id=str(number),
        kind="MedicationRequest",
        title="Metformin 500 mg",
        status="active",
        date=f"2026-{12 - number:02d}-01",
        dosage=[dose],
    )


def blood(value: str, facility: str) -> Item:
    return Item(
        id=value,
        kind="Observation.laboratory",
        title="Nhóm máu",
        status="final",
        value=value,
        facility_name=facility,
    )


def summary_of(items: list[Item], groups: list[Item], *, more: bool = False) -> Summary:
    person = Person(
        name="Nguyễn Văn Hùng",
        birth_date="1968",
        birth_precision="year",
        sex="male",
        age_years=None,
        blood_groups=groups,
    )
    section = SummarySection(
        key="medications",
        loinc="10160-0",
        title_vi="Thuốc đang dùng",
        state="listed",
        state_vi=None,
        items=items,
        more=more,
    )
    return Summary(person=person, as_of=None, sources=[], notice=None, sections=[section])


def sheet_text(summary: Summary) -> str:
    return " ".join("".join(pdf_pages(build_sheet(summary, [], NOW).body)).split())


def test_the_same_medicine_in_the_same_dose_stands_once() -> None:
    doses = ["1 viên/lần * 2 lần/ngày"] * 3 + ["2 viên/lần * 2 lần/ngày"]
    text = sheet_text(summary_of([medicine(number, dose) for number, dose in enumerate(doses)], []))
    assert text.count("Metformin 500 mg") == 2
    assert "3 lần kê từ 01/10/2026" in text


def test_a_list_that_was_cut_says_neither_how_often_nor_since_when() -> None:
    items = [medicine(number, "1 viên") for number in range(3)]
    text = sheet_text(summary_of(items, [], more=True))
    assert "Metformin 500 mg" in text
    assert "lần kê" not in text
    assert "từ 01/10/2026" not in text


def test_s17_blood_groups_that_differ_name_their_sources() -> None:
    same = sheet_text(summary_of([], [blood("B+", "Bệnh viện A"), blood("B+", "Bệnh viện B")]))
    assert same.count("Nhóm máu") == 1
    differ = sheet_text(summary_of([], [blood("B+", "Bệnh viện A"), blood("O+", "Bệnh viện B")]))
    assert "B+ (theo Bệnh viện A)" in differ
    assert "O+ (theo Bệnh viện B)" in differ


def book_row(item: Item, section: str, body: str | None = None) -> BookRow:
    text = msgspec.json.encode(item).decode()
    return BookRow(item.kind, item.id, section, text, None, None, None, body)


def book_text(rows: list[BookRow]) -> str:
    built = build_book(Gathered(summary_of([], []), rows), NOW)
    assert built.shown == [(row.rtype, row.id) for row in rows]
    return " ".join("".join(pdf_pages(built.body)).split())


def test_the_book_folds_what_visits_repeat_in_the_same_words() -> None:
    plan = Item(id="p", kind="CarePlan", title="Kế hoạch điều trị", status="active", text="Ăn nhạt")
    plans = [msgspec.structs.replace(plan, id=f"p{n}", date=f"2026-0{9 - n}-01") for n in range(4)]
    plans.append(msgspec.structs.replace(plan, id="other", text="Tập đi bộ", date="2026-01-01"))
    rows = [book_row(medicine(n, "x"), "medications") for n in range(3)]
    text = book_text([*rows, *(book_row(one, "care-plans") for one in plans)])
    assert text.count("Metformin") == 1
    assert "3 lần kê từ 01/10/2026" in text
    assert text.count("Kế hoạch điều trị") == 2
    assert "Ăn nhạt; 4 lần ghi từ 01/06/2026" in text
    assert "Tập đi bộ" in text


def test_each_day_to_come_back_stands_in_the_book() -> None:
    back = Item(id="a", kind="CarePlan", title="Hẹn khám lại", status="booked", category="appointment")
    days = ["2026-11-28T01:00:00Z", "2026-12-28"]
    rows = [book_row(msgspec.structs.replace(back, id=day, date=day), "care-plans") for day in days]
    text = book_text(rows)
    assert text.count("Hẹn khám lại") == 2
    assert "08:00 28/11/2026" in text
    assert "28/12/2026" in text


def test_a_paper_of_plain_text_stands_in_the_book_with_its_text() -> None:
    letter = Item(id="d", kind="DocumentReference", title="Phiếu hẹn khám lại", status="current")
    lines = ["Chẩn đoán: Tăng huyết áp", "", "Ngày hẹn khám lại: 28/11/2026 08:00", "x " * 400, "Hết."]
    text = book_text([book_row(letter, "documents", "\n".join(lines))])
    assert "Chẩn đoán: Tăng huyết áp; Ngày hẹn khám lại: 28/11/2026 08:00" in text
    assert "Hết." in text


def test_the_book_tells_the_person_to_guard_it() -> None:
    text = book_text([book_row(medicine(1, "x"), "medications")])
    assert "Ai có tệp hoặc bản in này đều đọc được" in text
    assert text.count("Chưa có thông tin.") == 5


def test_a_date_keeps_its_precision() -> None:
    assert [day_text(date) for date in ("2019", "2019-05", "2019-05-02", None)] == [
        "2019",
        "05/2019",
        "02/05/2019",
        "",
    ]
    assert day_text("2019-05-01T20:00:00Z") == "02/05/2019"


def test_a_value_says_its_unit_range_and_side() -> None:
    item = Item(
        id="1",
        kind="Observation.laboratory",
        title="Kali",
        status="final",
        value="3.10",
        unit="mmol/L",
        range=Range(low="3.5", high="5.0"),
        flag="low",
    )
    assert detail_text(item) == "3.10 mmol/L (khoảng tham chiếu 3.5–5.0), thấp"
