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
        ([medicines({})], "missing-table"),
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
