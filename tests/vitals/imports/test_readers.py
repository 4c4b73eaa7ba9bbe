"""Files that people have, read part by part: what comes out, and why a file is not read."""

import json
import os
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support import apple_export as apple
from tests.support.fuzz import FULL
from tests.support.shared import shared
from vitals.imports import fhir, openmhealth
from vitals.imports.anyfile import AnyFile
from vitals.imports.documents import BYTES_MAX
from vitals.imports.items import FileFaultError, Item, Read, Refusal
from vitals.wire import Sample

POINT: dict[str, Any] = {
    "header": {
        "id": "243c773b-8936-407e-9c23-270d0ea49cc4",
        "creation_date_time": "2026-11-20T08:00:00+07:00",
        "schema_id": {"namespace": "omh", "name": "heart-rate", "version": "1.0"},
    },
    "body": {
        "heart_rate": {"value": 50, "unit": "beats/min"},
        "effective_time_frame": {"date_time": "2026-11-20T07:25:00+07:00"},
    },
}


def read(data: bytes, step: int = 777, zone: int | None = None) -> list[Read]:
    """In parts that end anywhere."""
    reader, found = AnyFile(zone), list[Read]()
    for start in range(0, len(data), step):
        found += reader.feed(data[start : start + step])
    return [*found, *reader.close()]


def said(found: Iterable[Read]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in found:
        if isinstance(one, Refusal):
            rows.append((one.code, one.what))
        elif isinstance(one.item, Sample):
            rows.append((one.item.k, one.item.v, one.item.u, one.item.ctx))
    return rows


def fault(data: bytes) -> str:
    with pytest.raises(FileFaultError) as caught:
        read(data)
    return caught.value.fault


EACH = [
    ("heart-rate", 72.0, "/min", "rest"),
    ("steps", 250.0, "count", None),
    ("temperature", 101.3, "[degF]", None),
    ("spo2", 0.97, "1", None),
    ("sleep", 45.0, "min", "deep"),
    ("active-energy", 41.84, "kJ", None),
    ("weight", 150.0, "[lb_av]", None),
    ("glucose", 93.0, "mg/dL", "pre-meal"),
    ("blood-pressure", 142.0, "mm[Hg]", None),
    ("kind-unknown", "HKQuantityTypeIdentifierDietaryWater"),
    ("heart-rate", 5000.0, "/min", None),
]


@pytest.mark.parametrize("step", [1, 777, 1 << 20])
def test_an_export_of_apple_health_is_read_whatever_its_parts(step: int) -> None:
    found = read(apple.whole(*apple.EACH), step)
    assert said(found) == EACH
    assert [one.place for one in found] == list(range(1, 12))


def test_an_export_says_what_measured_when_and_in_which_zone() -> None:
    away = apple.record("HeartRate", "80", notes={"HKTimeZone": "Asia/Tokyo"})
    found = [one for one in read(apple.whole(*apple.EACH, away)) if isinstance(one, Item)]
    sources = [(one.source.kind, one.source.model, one.source.method) for one in found]
    assert sources[0] == ("watch", "Watch7,1", "automatic")
    assert sources[1] == ("phone", "iPhone của Minh", "automatic")
    assert sources[2] == ("manual", "Watch7,1", "manual")
    samples = [one.item for one in found if isinstance(one.item, Sample)]
    assert (samples[0].t.isoformat(), samples[0].z, samples[0].end) == (
        "2026-11-20T08:15:30+07:00",
        420,
        None,
    )
    assert str(samples[4].end) == "2026-11-20 01:45:00+07:00"
    assert (samples[8].v2, samples[-1].z) == (91.0, 540)


def test_the_archive_of_a_phone_is_read_without_going_back() -> None:
    others = {
        "apple_health_export/export_cda.xml": b"<ClinicalDocument/>" * 100,
        "apple_health_export/workout-routes/route.gpx": b"<gpx/>",
    }
    packed = apple.archive([apple.whole(*apple.EACH)], others, "apple_health_export/xuất.xml")
    for step in (1, 777, len(packed)):
        assert said(read(packed, step)) == EACH
    info = zipfile.ZipInfo("apple_health_export/")
    info.CRC = info.compress_size = info.file_size = 0
    folder = bytearray(info.FileHeader())
    for flags in (0, 8):
        folder[6] = flags
        assert said(read(bytes(folder) + packed)) == EACH
    stored = BytesIO()
    with zipfile.ZipFile(stored, "w") as made:
        made.writestr("export.xml", apple.whole(*apple.EACH))
    assert said(read(stored.getvalue())) == EACH


def test_hostile_words_and_times_cost_their_item_alone() -> None:
    edge = apple.record(
        "HeartRate", "70", start="9999-12-31 23:59:59 -1100", notes={"HKTimeZone": "Asia/Tokyo"}
    )
    assert said(read(apple.whole(edge, apple.record("HeartRate", "71")))) == [
        ("malformed", "HKQuantityTypeIdentifierHeartRate"),
        ("heart-rate", 71.0, "/min", None),
    ]
    deep = b'[{"header": 1}, {"header": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]"
    assert fault(deep) == "file-broken"
    point = json.dumps([POINT, POINT | {"body": {"heart_rate": 1}}, POINT | {"header": None}]).encode()
    assert [row[0] for row in said(read(point))] == ["heart-rate", "malformed", "malformed"]
    name = json.dumps([POINT]).replace(
        '"creation', '"acquisition_provenance": {"source_name": "a\\u0000"}, "creation'
    )
    assert [row[0] for row in said(read(name.encode()))] == ["malformed"]


def test_two_exports_give_the_same_reading_the_same_id() -> None:
    def ids(data: bytes) -> list[object]:
        return [one.item.id for one in read(data) if isinstance(one, Item)]

    later = apple.whole(*apple.EACH).replace(b"0x302a4f2a0", b"0x111111111").replace(b"11-21 08", b"11-22 09")
    assert ids(later) == ids(apple.whole(*apple.EACH))
    assert len(set(ids(later))) == len(ids(later))


def test_an_entity_has_no_meaning_and_ends_the_file() -> None:
    bomb = apple.whole(apple.record("HeartRate", "&b;")).replace(
        b"<!ELEMENT Record", b'<!ENTITY a "12"><!ENTITY b "&a;&a;&a;"><!ELEMENT Record', 1
    )
    assert b"<!ENTITY" in bomb
    assert fault(bomb) == "file-broken"
    outside = apple.whole(apple.record("HeartRate", "&b;")).replace(
        b"<!ELEMENT Record", b'<!ENTITY b SYSTEM "file:///etc/passwd"><!ELEMENT Record', 1
    )
    assert fault(outside) == "file-broken"


def test_a_document_type_that_no_parser_takes_is_skipped_unread() -> None:
    wrong = apple.whole(*apple.EACH).replace(b"<!ATTLIST Record", b"<!ATTLIST Record <!ELEMENT !! ", 1)
    assert said(read(wrong)) == EACH


def test_what_was_whole_before_a_file_breaks_off_is_read() -> None:
    reader, found = AnyFile(), list[Read]()
    with pytest.raises(FileFaultError, match="file-broken"):  # noqa: PT012
        for part in (apple.whole(*apple.EACH)[:-200], b""):
            found += reader.feed(part)
        found += reader.close()
    assert said(found) == EACH[:-1]


def test_records_without_a_zone_a_unit_or_half_a_pressure_are_refused_alone() -> None:
    lone = '<Correlation type="HKCorrelationTypeIdentifierBloodPressure"/>'
    found = read(
        apple.whole(
            apple.record("HeartRate", "70", start="2026-11-20 08:15:30"),
            apple.record("HeartRate", "70", start="yesterday"),
            apple.record("HeartRate", "many"),
            apple.record("HeartRate", "70", unit="kg"),
            apple.sleep("Dreaming", "2026-11-20 01:00:00 +0700", "2026-11-20 02:00:00 +0700"),
            lone,
            '<Workout workoutActivityType="HKWorkoutActivityTypeRunning"><WorkoutEvent/></Workout>',
            apple.record("HeartRate", "71"),
        )
    )
    assert [row[0] for row in said(found)] == [
        "tz-missing",
        "malformed",
        "malformed",
        "unit-unknown",
        "context-missing",
        "malformed",
        "kind-unknown",
        "heart-rate",
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "form-unknown"),
        (b"\x89PNG\r\n\x1a\n\0\0", "form-unknown"),
        (b"<html><body>no</body></html>", "form-unknown"),
        (b"dear doctor,\nI am well\n", "form-unknown"),
        (b"time,value\n2026-11-20T08:00Z,70\n", "columns-missing"),
        (b"[{]", "file-broken"),
        (b'{"a": 1}', "form-unknown"),
        (b"[]", "form-unknown"),
        (b"PK\x03\x04" + b"\0" * 10, "file-broken"),
        (b"time,kind,value,unit\n2026-11-20T08:00Z,weight,\xff,kg\n", "file-broken"),
        (b"time,kind,value,unit\n" + b"x" * 70_000, "file-broken"),
    ],
    ids=["empty", "png", "html", "letter", "columns", "json", "object", "array", "zip", "latin", "line"],
)
def test_a_file_that_is_none_of_ours_is_refused_whole(data: bytes, code: str) -> None:
    assert fault(data) == code


def test_archives_that_are_locked_empty_damaged_or_too_full_are_refused() -> None:
    packed = apple.archive([apple.whole(*apple.EACH)])
    locked = packed[:6] + b"\x09" + packed[7:]
    assert fault(locked) == "archive-unreadable"
    assert fault(apple.archive([b"<note/>"])) == "archive-without-export"
    assert fault(packed[: len(packed) // 2]) == "file-broken"
    place = packed.index(b"PK\x07\x08") + 4
    assert fault(packed[:place] + b"\0\0\0\0" + packed[place + 4 :]) == "file-broken"
    dull = (b" " * (1 << 20) for _ in range(24))
    assert fault(apple.archive([b"<HealthData>", *dull])) == "archive-too-large"
    padded = (b"<Me/>" * 1_600 + os.urandom(20).hex().encode() for _ in range(3_500))
    assert fault(apple.archive([b"<HealthData><!--", *padded])) == "archive-too-large"


def test_json_of_more_than_the_limit_is_not_kept_in_memory() -> None:
    reader, part = AnyFile(), b"[" + b" " * (8 << 20)
    for _ in range(BYTES_MAX // len(part)):
        assert not list(reader.feed(part))
    with pytest.raises(FileFaultError, match="file-too-large"):
        reader.feed(part)


def resident() -> int:
    """KiB of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


def test_an_export_of_any_size_takes_no_more_memory() -> None:
    """Read and thrown away; the parts are made as they are read."""
    count = 2_000_000 if FULL else 200_000
    reader, found, early = AnyFile(), 0, 0
    for part in apple.heart_rates(count):
        found += sum(1 for _ in reader.feed(part))
        if not early and found > count // 10:
            early = resident()
    found += sum(1 for _ in reader.close())
    assert found == count
    assert resident() - early < 4096


def test_entries_of_nightscout_are_taken_and_error_codes_refused() -> None:
    found = read(shared("data/vitals/nightscout/example-entries.json").read_bytes())
    assert [row for row in said(found) if row[0] != "glucose"] == [("implausible", "sgv")] * 12
    taken = [one for one in found if isinstance(one, Item)]
    assert len(taken) == 18
    first = taken[0]
    assert isinstance(first.item, Sample)
    assert (first.source.kind, first.source.model, first.item.u, first.item.z) == (
        "cgm",
        "dexcom",
        "mg/dL",
        -420,
    )
    lines = read(shared("data/vitals/nightscout/example.tsv").read_bytes())
    ids = {one.item.id for one in lines if isinstance(one, Item)}
    assert (len(ids), len(ids & {one.item.id for one in taken})) == (19, 18)
    assert [row for row in said(lines) if row[0] != "glucose"] == [("implausible", "sgv")] * 11


def test_a_word_in_the_place_of_glucose_and_what_is_no_glucose_are_refused() -> None:
    entries = [
        {"type": "sgv", "sgv": "NOT COMPUTABLE", "date": 1405791855000},
        {"type": "mbg", "mbg": 105, "date": 1405791855000, "device": "meter"},
        {"type": "cal", "slope": 1, "date": 1405791855000},
        {"type": "sgv", "sgv": "38", "date": 1405791855000},
        {"type": "sgv", "sgv": "120", "date": "yesterday"},
    ]
    assert said(read(json.dumps(entries).encode())) == [
        ("implausible", "sgv"),
        ("glucose", 105.0, "mg/dL", None),
        ("kind-unknown", "cal"),
        ("implausible", "sgv"),
        ("malformed", ""),
    ]


TABLE = """time;kind;value;unit;value2;context;source;model
2026-11-20T07:01+07:00;blood-pressure;142;mm[Hg];91;morning;cuff;Omron M7
2026-11-20 07:05;weight;61,5;kg;;;scale;
2026-11-20;weight;61;kg;;;;
2026-11-20T07:06+07:00;weight;much;kg;;;;
2026-11-20T07:07+07:00;weight;61;kg;;;spoon;
"""


def test_a_table_is_read_by_its_header_and_times_need_a_zone() -> None:
    found = read(("\ufeff" + TABLE.replace("\n", "\r\n")).encode())
    assert said(found) == [
        ("blood-pressure", 142.0, "mm[Hg]", "morning"),
        ("tz-missing", "weight"),
        ("malformed", "weight"),
        ("malformed", "weight"),
        ("malformed", "weight"),
    ]
    named = read(TABLE.encode(), zone=420)
    assert said(named)[1] == ("weight", 61.5, "kg", None)
    assert [one.place for one in named] == [2, 3, 4, 5, 6]
    first = named[0]
    assert isinstance(first, Item)
    assert (first.source.kind, first.source.model) == ("cuff", "Omron M7")


def test_data_points_of_open_mhealth_and_bundles_of_fhir_are_told_apart() -> None:
    assert said(read(json.dumps([POINT, POINT]).encode())) == [("heart-rate", 50.0, "/min", None)] * 2
    bundle = shared("data/vitals/hl7-phd/bundle-example-1.json").read_bytes()
    found = read(bundle)
    assert found
    assert all(one.place == i for i, one in enumerate(found, 1))


def test_a_body_of_open_mhealth_without_its_header_is_a_file_of_no_known_form() -> None:
    reader = AnyFile()
    assert list(reader.feed(json.dumps(POINT["body"]).encode())) == []
    with pytest.raises(FileFaultError) as refused:
        list(reader.close())
    assert (refused.value.fault, reader.form) == ("form-unknown", None)


def test_every_document_of_the_test_data_is_read_from_a_file_as_by_itself() -> None:
    root = shared("data/vitals/openmhealth")
    points = []
    for i, path in enumerate(sorted(root.rglob("shouldPass/*.json"))):
        namespace, name, version = path.relative_to(root).parts[:3]
        if name not in ("data-point", "header"):
            schema = {"namespace": namespace, "name": name, "version": version}
            header = POINT["header"] | {"id": str(UUID(int=i)), "schema_id": schema}
            points.append({"header": header, "body": json.loads(path.read_bytes())})
    alone = [openmhealth.read(json.dumps(point).encode()) for point in points]
    found = read(json.dumps(points).encode(), 100_000)
    assert sum(isinstance(one, Item) for one in found) == sum(len(one.samples) for one in alone) > 40
    assert [one.code for one in found if isinstance(one, Refusal)] == [
        refused.code for one in alone for refused in one.rejected
    ]
    counted = 0
    for path in sorted(shared("data/vitals/hl7-phd").glob("*.json")):
        document = fhir.read(path.read_bytes())
        count = len(document.samples) + len(document.series) + len(document.rejected)
        assert len(read(path.read_bytes())) == count, path.name
        counted += count
    assert counted > 0
