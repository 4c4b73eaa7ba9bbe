"""Reading treatment packages in all the shapes they come in, and refusing the dangerous ones."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ehr.intake.models import BadUnit, Unit
from ehr.intake.treatment_xml import read_package
from ehr.intake.xml_fields import read_birth, read_moment
from identity.identifiers import normal_identifier
from tests.support import packages

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
SUMMARY = {
    "MA_LK": "LK1",
    "MA_BN": "BN1",
    "HO_TEN": "Lê Văn Thử",
    "SO_CCCD": "079155000011",
    "NGAY_SINH": "195500000000",
    "GIOI_TINH": "1",
    "MA_BENH_CHINH": "I10",
    "MA_BENH_KT": "E11.9",
    "CHAN_DOAN_RV": "Tăng huyết áp; Đái tháo đường",
    "NGAY_VAO": "202603020815",
    "NGAY_RA": "202603020945",
    "MA_LOAI_KCB": "01",
    "MA_CSKCB": "79001",
}


def row(name: str, **fields: str) -> str:
    return f"<{name}>" + "".join(f"<{k}>{v}</{k}>" for k, v in fields.items()) + f"</{name}>"


def summary(**changes: str) -> tuple[str, str]:
    return "XML1", row("TONG_HOP", **(SUMMARY | changes))


def lines(table: str, root: str, group: str, name: str, *rows: dict[str, str]) -> tuple[str, str]:
    inner = "".join(row(name, **({"MA_LK": "LK1"} | fields)) for fields in rows)
    return table, f"<{root}><{group}>{inner}</{group}></{root}>"


def medicines(*rows: dict[str, str]) -> tuple[str, str]:
    filled = ({"TEN_THUOC": "Thuốc", "NGAY_YL": "202603020930"} | r for r in rows)
    names = ("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC")
    return lines("XML2", *names, *filled)


def results(*rows: dict[str, str]) -> tuple[str, str]:
    names = ("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS")
    return lines("XML4", *names, *rows)


def course(*rows: dict[str, str]) -> tuple[str, str]:
    names = ("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH", "CHI_TIET_DIEN_BIEN_BENH")
    return lines("XML5", *names, *rows)


def package(*tables: tuple[str, str], plain: bool = False, facility: str = "79001") -> bytes:
    def content(text: str) -> str:
        if plain:
            return text
        data = base64.encodebytes(text.encode()).decode()
        return data.replace("\n", "\r\n  ")

    files = "".join(
        f"<FILEHOSO><LOAIHOSO>{kind}</LOAIHOSO><NOIDUNGFILE>{content(text)}</NOIDUNGFILE></FILEHOSO>"
        for kind, text in tables
    )
    return (
        f"<GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility}</MACSKCB></THONGTINDONVI><THONGTINHOSO>"
        f"<DANHSACHHOSO><HOSO>{files}</HOSO></DANHSACHHOSO></THONGTINHOSO></GIAMDINHHS>"
    ).encode()


def read(data: bytes) -> Unit | BadUnit:
    (unit,) = list(read_package(io.BytesIO(data), "file", NOW))
    return unit


def good(data: bytes) -> Unit:
    unit = read(data)
    assert isinstance(unit, Unit), unit
    return unit


def faults(data: bytes) -> list[tuple[str, str]]:
    unit = read(data)
    assert isinstance(unit, BadUnit)
    return [(reason.code, reason.where) for reason in unit.reasons]


def docs(unit: Unit, rtype: str) -> list[dict]:  # type: ignore[type-arg]
    return [item.doc for item in unit.items if item.rtype == rtype]


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="utf-8"?>\r\n'])
def test_both_envelopes_bom_and_breaks_read_alike(plain: bool, start: bytes) -> None:
    unit = good(start + package(medicines({}), summary(), plain=plain))
    assert (unit.key, unit.facility_code) == ("episode:LK1", "79001")
    assert unit.person.birth_date == "1955"
    assert [doc["code"]["text"] for doc in docs(unit, "Condition")] == ["Tăng huyết áp", "Đái tháo đường"]


def test_the_main_disease_has_the_slice_of_vn_core() -> None:
    (visit,) = docs(good(package(summary())), "Encounter")
    assert [d["use"]["coding"][0]["code"] for d in visit["diagnosis"]] == ["CC", "CM"]
    assert visit["class"]["code"] == "AMB"


def test_a_lower_case_table_name_cdata_and_unknown_fields_are_read() -> None:
    kind, text = summary(HO_TEN="<![CDATA[Lê  Văn <Thử>]]>", LA="x")
    assert good(package((kind.lower(), text))).person.name == "Lê  Văn <Thử>"


def test_dose_texts_stay_as_written_and_only_stated_days_make_a_course() -> None:
    unit = good(
        package(
            summary(),
            medicines(
                {"LIEU_DUNG": "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]", "CACH_DUNG": "Sau ăn"},
                {"LIEU_DUNG": "Uống 1 viên khi sốt", "TEN_THUOC": "Paracetamol", "HAM_LUONG": "500mg"},
            ),
        )
    )
    first, second = docs(unit, "MedicationRequest")
    dosage = first["dosageInstruction"][0]
    assert dosage["text"] == "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]"
    assert dosage["patientInstruction"] == "Sau ăn"
    assert dosage["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-03-02", "end": "2026-03-06"}
    assert "timing" not in second["dosageInstruction"][0]
    assert second["medicationCodeableConcept"]["text"] == "Paracetamol 500mg"


def test_results_keep_comma_zero_and_text_and_imaging_becomes_a_report() -> None:
    unit = good(
        package(
            summary(),
            results(
                {
                    "TEN_CHI_SO": "Glucose",
                    "GIA_TRI": "7,20",
                    "DON_VI_DO": "mmol/L",
                    "NGAY_KQ": "202603020900",
                },
                {"TEN_CHI_SO": "Protein niệu", "GIA_TRI": "Âm tính"},
                {"TEN_CHI_SO": "Urê"},
                {"MA_DICH_VU": "18.0001.0001", "MO_TA": "Tim không to", "KET_LUAN": "Bình thường"},
            ),
        )
    )
    items = [item for item in unit.items if item.rtype == "Observation"]
    assert '"valueQuantity":{"value":7.20,"unit":"mmol/L"}' in items[0].raw
    assert items[0].doc["effectiveDateTime"] == "2026-03-02T09:00:00+07:00"
    assert items[1].doc["valueString"] == "Âm tính"
    assert items[2].doc["status"] == "registered"
    (report,) = docs(unit, "DiagnosticReport")
    assert report["conclusion"] == "Bình thường\nTim không to"
    assert report["category"][0]["coding"][0]["code"] == "RAD"


def test_vital_signs_are_read_out_of_the_note() -> None:
    note = "Tỉnh CSST&lt;M75_T37,5_HA120/70_NT18_SP97_HL2&gt;"
    unit = good(package(summary(), course({"DIEN_BIEN_LS": note, "THOI_DIEM_DBLS": "202603020820"})))
    found = {doc["code"]["coding"][0]["code"]: doc for doc in docs(unit, "Observation") if "XML5" not in doc}
    assert found["8310-5"]["valueQuantity"]["value"] == 37.5
    parts = [part["valueQuantity"]["value"] for part in found["85354-9"]["component"]]
    assert parts == [120, 70]
    assert set(found) == {"8867-4", "8310-5", "85354-9", "9279-1", "59408-5"}


@pytest.mark.parametrize("names", [("MA_NOI_DI", "MA_NOI_DEN"), ("MA_CSKCB_DI", "MA_CSKCB_DEN")])
def test_both_variants_of_the_referral_letter_are_read(names: tuple[str, str]) -> None:
    letter = row(
        "CHI_TIEU_GIAYCHUYENTUYEN", MA_LK="LK1", **{names[0]: "79001", names[1]: "79024"}, MA_LYDO_CT="1"
    )
    (referral,) = docs(good(package(summary(), ("XML13", letter))), "ServiceRequest")
    assert referral["performer"][0]["identifier"]["value"] == "79024"


def test_a_revisit_named_twice_is_one_appointment() -> None:
    letter = row("CHI_TIEU_GIAYHEN_KHAMLAI", MA_LK="LK1", NGAY_HEN_KL="202604010800", SO_GIAYHEN_KL="1")
    unit = good(package(summary(NGAY_TAI_KHAM="20260401;20260501"), ("XML14", letter)))
    first, second = docs(unit, "Appointment")
    assert first["start"] == "2026-04-01T08:00:00+07:00"
    assert second["requestedPeriod"] == [{"start": "2026-05-01", "end": "2026-05-01"}]


def test_a_discharge_in_the_future_is_right_only_where_it_means_days_of_medicine() -> None:
    assert good(package(summary(MA_LOAI_KCB="05", NGAY_RA="202612202359")))
    assert faults(package(summary(NGAY_RA="202612202359"))) == [("future-date", "HOSO[1]/XML1.NGAY_RA")]


def test_a_dropped_row_does_not_turn_the_second_medicine_into_the_first() -> None:
    a, b = {"MA_THUOC": "40.1", "STT": "1"}, {"MA_THUOC": "40.2", "STT": "2"}
    both = good(package(summary(), medicines(a, b)))
    one = good(package(summary(), medicines(b | {"STT": "1"})))
    keys = [item.key for item in both.items if item.rtype == "MedicationRequest"]
    assert [item.key for item in one.items if item.rtype == "MedicationRequest"] == keys[1:]


def test_table_six_never_gets_in() -> None:
    unit = good(package(summary(), ("XML6", "<x>HIV</x>")))
    assert unit.withheld == 1
    assert "HIV" not in json.dumps([item.raw for item in unit.items])


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"NGAY_VAO": "08042026"}, "bad-date", "NGAY_VAO"),
        ({"NGAY_VAO": "202602300800"}, "bad-date", "NGAY_VAO"),
        ({"NGAY_SINH": "195513000000"}, "bad-date", "NGAY_SINH"),
        ({"GIOI_TINH": "9"}, "bad-code", "GIOI_TINH"),
        ({"MA_LOAI_KCB": "1"}, "bad-code", "MA_LOAI_KCB"),
        ({"HO_TEN": ""}, "missing-field", "HO_TEN"),
        ({"SO_CCCD": "12345"}, "bad-identifier", "SO_CCCD"),
        ({"MA_CSKCB": "01028"}, "facility-mismatch", "MA_CSKCB"),
        ({"CAN_NANG": "nặng"}, "bad-number", "CAN_NANG"),
    ],
)
def test_each_wrong_field_is_a_reason(changes: dict[str, str], code: str, field: str) -> None:
    assert (code, f"HOSO[1]/XML1.{field}") in faults(package(summary(**changes)))


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        ([("XML6", "<x/>")], "missing-table"),
        ([summary(), summary()], "several-summaries"),
        ([summary(), medicines({"MA_LK": "LK2"})], "other-episode"),
        ([summary(), ("XML99", "<x/>")], "unknown-table"),
        ([summary(), ("XML2", "<CHI_TIET_THUOC/>")], "wrong-root"),
        (
            [summary(), ("XML2", "<CHITIEU_CHITIET_THUOC><CHI_TIET_THUOC/></CHITIEU_CHITIET_THUOC>")],
            "row-without-list",
        ),
        ([("XML1", row("TONG_HOP", MA_LK="1") + "<")], "bad-xml"),
        ([("XML1", '<!DOCTYPE a [<!ENTITY b "c">]>' + row("TONG_HOP", MA_LK="&b;"))], "doctype-refused"),
        ([("XML1", "<TONG_HOP><A>1</A><A>2</A></TONG_HOP>")], "duplicate-field"),
    ],
)
def test_a_wrong_table_refuses_the_episode(tables: list[tuple[str, str]], code: str) -> None:
    assert faults(package(*tables))[0][0] == code


def test_wrong_base64_is_named() -> None:
    data = package(summary()).replace(b"<NOIDUNGFILE>", b"<NOIDUNGFILE>%%")
    assert faults(data) == [("bad-base64", "HOSO[1]/FILEHOSO[1]/NOIDUNGFILE")]


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://169.254.169.254/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
def test_entities_and_external_subsets_are_refused(prolog: str) -> None:
    data = prolog.encode() + package(summary(HO_TEN="&amp;"))
    assert faults(data)[0][0] == "doctype-refused"


def test_another_encoding_is_refused() -> None:
    data = b'<?xml version="1.0" encoding="windows-1258"?>' + package(summary())
    assert faults(data)[0][0] == "bad-encoding"
    assert faults(package(summary()).replace(b"79001", b"79\xff\xfe1"))[0][0] == "bad-xml"


def test_a_file_of_many_episodes_streams_and_a_broken_tail_names_its_place() -> None:
    whole = package(summary())
    hoso = whole[whole.index(b"<HOSO>") : whole.index(b"</HOSO>") + 7]
    head, tail = whole[: whole.index(b"<HOSO>")], whole[whole.index(b"</HOSO>") + 7 :]

    class Endless(io.RawIOBase):
        """Makes its bytes as they are read: the file never stands in memory."""

        def __init__(self, parts: Iterator[bytes]) -> None:
            self.parts, self.rest = parts, b""

        def read(self, size: int = -1) -> bytes:
            while len(self.rest) < size and (part := next(self.parts, None)) is not None:
                self.rest += part
            taken, self.rest = self.rest[:size], self.rest[size:]
            return taken

    def parts() -> Iterator[bytes]:
        yield head
        for _ in range(500):
            yield hoso
        yield b"<broken"
        yield tail

    units = list(read_package(Endless(parts()), "file", NOW))  # type: ignore[arg-type]
    assert sum(isinstance(unit, Unit) for unit in units) == 500
    last = units[-1]
    assert isinstance(last, BadUnit)
    assert last.reasons[0].code == "bad-xml"
    assert last.reasons[0].where.startswith("line ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("195500000000", ("1955", False)),
        ("195505000000", ("1955-05", False)),
        ("195505120000", ("1955-05-12", False)),
        ("202605101432", ("2026-05-10", True)),
        ("19550512", ("1955-05-12", False)),
        ("195500001200", None),
        ("195502300000", None),
        ("１９５５０５１２", None),
        ("", None),
    ],
)
def test_birth_dates_keep_their_precision(text: str, expected: tuple[str, bool] | None) -> None:
    assert read_birth(text) == expected


def test_moments_are_vietnam_time() -> None:
    assert read_moment("202603020815") == "2026-03-02T08:15:00+07:00"
    assert read_moment("20260302") == read_moment("202603020000") == "2026-03-02"
    assert read_moment("202603022400") is None


def packed(version: str = "4750", *names: str, change: dict[str, dict[str, str]] | None = None) -> bytes:
    return packages.package(packages.tables_of(version, names or None, change), old=version == "4210")


def units(data: bytes) -> list[Unit]:
    found = list(read_package(io.BytesIO(data), "file", NOW))
    assert all(isinstance(unit, Unit) for unit in found), found
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("version", packages.VERSIONS)
@pytest.mark.parametrize(("plain", "cdata"), [(True, False), (False, True)])
def test_all_tables_of_all_versions_read_alike_in_every_envelope(
    version: str, plain: bool, cdata: bool
) -> None:
    tables = packages.tables_of(version)
    old = version == "4210"
    data = packages.package(tables, old=old, plain=plain, cdata=cdata)
    strange = b"\xef\xbb\xbf" + data.replace(b"><FILEHOSO", b">\r\n  <FILEHOSO")
    backwards = packages.package(
        {table: [dict(reversed(row.items())) for row in rows] for table, rows in reversed(tables.items())},
        old=old,
    )
    plainly = [[item.raw for item in unit.items] for unit in units(packages.package(tables, old=old))]
    for other in (data, strange, backwards):
        assert [[item.raw for item in unit.items] for unit in units(other)] == plainly


def test_a_file_of_4210_is_read_under_todays_names() -> None:
    (unit,) = units(packed("4210", change={"XML1": {"NGAY_SINH": "1955"}}))
    assert unit.person.birth_date == "1955"
    assert [c["code"]["text"] for c in docs(unit, "Condition")] == ["Viêm dạ dày", "Tăng huyết áp"]
    (visit,) = docs(unit, "Encounter")
    assert visit["type"][0]["coding"][0]["code"] == "03"
    assert docs(unit, "MedicationRequest")[0]["reasonCode"][0]["coding"][0]["code"] == "K29.7"


def test_a_check_in_is_a_visit_that_has_begun_under_the_ids_of_the_later_one() -> None:
    (begun,) = units(packed("4750", "XML0"))
    whole = units(packed())[0]
    (visit,) = docs(begun, "Encounter")
    assert (visit["status"], begun.only_first, begun.key) == ("in-progress", True, whole.key)
    assert {item.key for item in begun.items} <= {item.key for item in whole.items}
    assert "end" not in visit["period"]
    both = units(packed("4750", "XML0", "XML1"))
    assert [docs(unit, "Encounter")[0]["status"] for unit in both] == ["finished"]


def test_a_birth_note_is_the_mothers_paper_and_the_childs_own_unit() -> None:
    mother, child = units(packed("4750", "XML1", "XML9"))
    assert [d["type"]["coding"][0]["code"] for d in docs(mother, "DocumentReference")] == ["birth"]
    assert (child.person.newborn, child.person.mother_number) == (True, "079190000017")
    assert (child.person.birth_date, child.person.sex) == ("2026-03-05", "male")
    (weight,) = docs(child, "Observation")
    assert weight["code"]["coding"][0]["code"] == "8339-4"
    assert "encounter" not in weight
    written = json.dumps([item.doc for item in child.items if item.rtype != "Patient"], ensure_ascii=False)
    assert "Trần Thị" not in written
    assert "079190000017" not in written


def test_twins_are_two_units_that_a_resend_finds_again() -> None:
    tables = packages.tables_of("4750", ["XML1", "XML9"])
    note = tables["XML9"][0]
    both = packages.package(tables | {"XML9": [note, note | {"SO": "GCS-18", "GIOI_TINH_CON": "2"}]})
    one = packages.package(tables | {"XML9": [note | {"SO": "GCS-18", "GIOI_TINH_CON": "2"}]})
    keys = [unit.key for unit in units(both)]
    assert len(set(keys)) == 3
    assert [unit.key for unit in units(one)] == [keys[0], keys[2]]


def test_a_wrong_birth_note_refuses_the_mothers_visit_too() -> None:
    assert faults(packed("4750", "XML1", "XML9", change={"XML9": {"NGAY_SINH_CON": "05032026"}})) == [
        ("bad-date", "HOSO[1]/XML9[1].NGAY_SINH_CON")
    ]


def test_an_assessment_has_its_own_person_and_needs_no_visit() -> None:
    (unit,) = units(packed("4750", "XML12"))
    assert unit.key.startswith("assessment:BB-17")
    assert unit.person.sex is None
    assert docs(unit, "DocumentReference")[0]["context"]["period"] == {"start": "2026-03-10"}


def test_what_the_tuberculosis_table_says_of_hiv_is_gone_before_it_is_read() -> None:
    (unit,) = units(packed("4750", "XML1", "XML15"))
    assert unit.withheld == 4
    assert not any(day in item.raw + item.hints for item in unit.items for day in ("20250101", "2025-01"))
    (plan,) = [doc for doc in docs(unit, "CarePlan") if doc["title"] == "Điều trị lao"]
    assert plan["activity"][0]["detail"]["description"] == "Vị trí: Lao phổi"


def test_marks_of_icd_stand_beside_the_code_and_its_list_follows_the_discharge() -> None:
    old = good(package(summary(MA_BENH_CHINH="E10.4†", MA_BENH_KT="G63.2*")))
    coding = docs(old, "Condition")[0]["code"]["coding"][0]
    assert (coding["code"], coding["extension"][0]["valueString"]) == ("E10.4", "†")
    assert coding["version"] == "QĐ 4469/QĐ-BYT"
    new = good(package(summary(NGAY_VAO="202607020815", NGAY_RA="202607020915")))
    assert docs(new, "Condition")[0]["code"]["coding"][0]["version"] == "TT 06/2026/TT-BYT"


def services(*rows: dict[str, str]) -> tuple[str, str]:
    names = ("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT")
    return lines("XML3", *names, *({"TEN_DICH_VU": "Glucose", "MA_NHOM": "1"} | one for one in rows))


def found_results(*tables: tuple[str, str]) -> list[tuple[str, str, object]]:
    unit = good(package(summary(), *tables))
    items = [item for item in unit.items if item.rtype == "Observation"]
    return [(i.key, i.doc["status"], i.doc.get("valueQuantity", {}).get("value")) for i in items]


def test_a_result_that_waits_keeps_its_id_when_it_comes() -> None:
    orders = services({"MA_DICH_VU": "23.1", "NGAY_YL": "202603020820"})
    empty = {"MA_DICH_VU": "23.1", "TEN_CHI_SO": "Glucose"}
    ((waiting, status, _),) = found_results(orders, results(empty))
    ((come, final, value),) = found_results(
        orders, results(empty | {"GIA_TRI": "7", "NGAY_KQ": "202603020900"})
    )
    assert (waiting, status, final, value) == (come, "registered", "final", 7)


def test_a_dropped_result_does_not_turn_the_second_into_the_first() -> None:
    orders = services(
        {"MA_DICH_VU": "23.1", "NGAY_YL": "202603020820"}, {"MA_DICH_VU": "23.1", "NGAY_YL": "202603030820"}
    )
    one = {"MA_DICH_VU": "23.1", "TEN_CHI_SO": "Glucose", "GIA_TRI": "7", "NGAY_KQ": "202603020900"}
    two = one | {"GIA_TRI": "8", "NGAY_KQ": "202603030900"}
    first, second = found_results(orders, results(one, two))
    assert found_results(orders, results(two)) == [second]
    assert found_results(orders, results(two, one)) == [first, second]


def test_lines_of_one_code_and_time_keep_their_places_by_their_numbers() -> None:
    a = {"MA_THUOC": "40.1", "STT": "1", "LIEU_DUNG": "Sáng 1 viên"}
    b = {"MA_THUOC": "40.1", "STT": "2", "LIEU_DUNG": "Tối 2 viên"}

    def texts(*rows: dict[str, str]) -> dict[str, str]:
        unit = good(package(summary(), medicines(*rows)))
        items = [item for item in unit.items if item.rtype == "MedicationRequest"]
        return {item.key: item.doc["dosageInstruction"][0]["text"] for item in items}

    assert texts(a, b) == texts(b, a)


def test_the_receiver_of_a_swapped_referral_is_nobody() -> None:
    letter = row("CHI_TIEU_GIAYCHUYENTUYEN", MA_LK="LK1", MA_NOI_DI="79024", MA_NOI_DEN="79001")
    unit = good(package(summary(), ("XML13", letter)))
    assert "performer" not in docs(unit, "ServiceRequest")[0]
    attachment = docs(unit, "DocumentReference")[0]["content"][0]["attachment"]
    assert "Nơi đến: 79001" in base64.b64decode(attachment["data"]).decode()


@pytest.mark.parametrize("sign", ["T38oC", "T38°C", "T 38", "T:38,0", "t38C"])
def test_a_temperature_is_read_in_the_ways_it_is_written(sign: str) -> None:
    unit = good(package(summary(), course({"DIEN_BIEN_LS": f"CSST&lt;M75_{sign}_HL2&gt;"})))
    found = {doc["code"]["coding"][0]["code"]: doc for doc in docs(unit, "Observation")}
    assert found["8310-5"]["valueQuantity"]["value"] == 38
    assert found["8310-5"]["valueQuantity"]["code"] == "Cel"
    assert set(found) == {"8310-5", "8867-4"}


def test_both_micro_signs_and_nfd_stay_readable_text() -> None:
    unit = good(
        package(summary(), results({"TEN_CHI_SO": "Creatinin", "GIA_TRI": "80", "DON_VI_DO": "\u00b5mol/L"}))
    )
    assert docs(unit, "Observation")[0]["valueQuantity"]["unit"] == "\u00b5mol/L"
    assert good(package(summary(HO_TEN="Le\u0302 Va\u0306n Thu\u031b\u0309"))).person.name == "Lê Văn Thử"


def test_codes_without_any_text_are_diseases_without_a_name() -> None:
    unit = good(package(summary(CHAN_DOAN_RV="", MA_BENH_KT="E11.9;E78.5")))
    assert ["text" in doc["code"] for doc in docs(unit, "Condition")] == [False, False, False]


def test_a_visit_of_too_many_elements_is_refused_before_it_is_read() -> None:
    many = "<A/>" * 700_000
    assert faults(package(("XML1", f"<TONG_HOP>{many}</TONG_HOP>")))[0][0] == "too-large"
    assert faults(package(("XML1", f"<TONG_HOP>{many}</TONG_HOP>"), plain=True))[0][0] == "too-large"


@pytest.mark.parametrize(
    ("number", "country", "read"),
    [
        ("079155000011", "000", ("national-id", "079155000011")),
        # The account of a foreigner is named by a personal number of twelve digits as well.
        ("079155000011", "USA", ("national-id", "079155000011")),
        ("024 123 456", "000", ("old-id", "024123456")),
        ("024123456", "", ("old-id", "024123456")),
        ("512345678", "USA", ("passport", "USA|512345678")),
        ("C12345678", "USA", ("passport", "USA|C12345678")),
        ("c12345678", "fra", ("passport", "FRA|C12345678")),
        ("B1234567", "000", ("passport", "VNM|B1234567")),
        ("B1234567", "", ("passport", "B1234567")),
    ],
)
def test_what_so_cccd_holds_is_told_by_its_shape_and_a_passport_by_its_country(
    number: str, country: str, read: tuple[str, str]
) -> None:
    unit = good(package(summary(SO_CCCD=number, MA_QUOCTICH=country)))
    assert read in unit.person.identifiers
    assert normal_identifier(*read) == read[1]


@pytest.mark.parametrize(
    ("number", "country"),
    [("12345", "USA"), ("12345678", "000"), ("1234567890", ""), ("AB-12", "000"), ("A" * 13, "USA")],
)
def test_a_number_of_no_known_shape_is_refused_with_its_field(number: str, country: str) -> None:
    told = faults(package(summary(SO_CCCD=number, MA_QUOCTICH=country)))
    assert told == [("bad-identifier", "HOSO[1]/XML1.SO_CCCD")]


def test_tables_without_their_summary_are_units_of_their_own() -> None:
    found = list(read_package(io.BytesIO(package(medicines({}), results({"TEN_CHI_SO": "x"}))), "file", NOW))
    assert [(unit.name, unit.apart, unit.documents) for unit in found if isinstance(unit, Unit)] == [
        ("HOSO[1]/XML2", True, ("XML2",)),
        ("HOSO[1]/XML4", True, ("XML4",)),
    ]


def test_a_wrong_field_refuses_all_tables_of_a_hoso_without_summary() -> None:
    told = faults(package(medicines({}), medicines({"NGAY_YL": "x"}), results({"TEN_CHI_SO": "x"})))
    assert told == [("bad-date", "HOSO[1]/XML2[1].NGAY_YL")]
