"""A made-up export of Apple Health, as the phone writes it: document type, records, correlation, archive."""

import io
import zipfile
from collections.abc import Iterable, Iterator

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 13 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|ClinicalRecord)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  unit          CDATA #IMPLIED
  value         CDATA #IMPLIED
>
<!-- Note: Any Records that appear as children of a correlation also appear as top-level records. -->
]>
<HealthData locale="vi_VN">
 <ExportDate value="2026-11-21 08:00:00 +0700"/>
 <Me HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexMale"/>
"""
TAIL = "</HealthData>\n"
WATCH = (
    'sourceName="Apple Watch của Minh" sourceVersion="11.1" device="&lt;&lt;HKDevice: 0x302a4f2a0&gt;, '
    'name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch7,1, software:11.1&gt;"'
)
PHONE = 'sourceName="iPhone của Minh"'
_QUANTITY = "HKQuantityTypeIdentifier"


def record(
    kind: str,
    value: str,
    unit: str = "count/min",
    start: str = "2026-11-20 08:15:30 +0700",
    end: str | None = None,
    source: str = WATCH,
    notes: dict[str, str] | None = None,
) -> str:
    name = kind if kind.startswith("HK") else _QUANTITY + kind
    inner = "".join(f'<MetadataEntry key="{key}" value="{said}"/>' for key, said in (notes or {}).items())
    return (
        f'<Record type="{name}" {source} unit="{unit}" creationDate="2026-11-20 09:00:00 +0700" '
        f'startDate="{start}" endDate="{end or start}" value="{value}">{inner}</Record>\n'
    )


def sleep(stage: str, start: str, end: str) -> str:
    return record(
        "HKCategoryTypeIdentifierSleepAnalysis", "HKCategoryValueSleepAnalysis" + stage, "", start, end
    )


def pressure(upper: str, lower: str, start: str = "2026-11-20 07:01:00 +0700") -> str:
    """The correlation, and its two records once more as an export has them."""
    parts = record("BloodPressureSystolic", upper, "mmHg", start, source=PHONE)
    parts += record("BloodPressureDiastolic", lower, "mmHg", start, source=PHONE)
    return (
        f"{parts}"
        f'<Correlation type="HKCorrelationTypeIdentifierBloodPressure" {PHONE} startDate="{start}" '
        f'endDate="{start}">\n{parts}</Correlation>\n'
    )


def whole(*records: str) -> bytes:
    return (HEAD + "".join(records) + TAIL).encode()


# One of each kind, in the units of somebody who counts in pounds.
EACH = (
    record("HeartRate", "72", notes={"HKMetadataKeyHeartRateMotionContext": "1"}),
    record("StepCount", "250", "count", end="2026-11-20 08:20:30 +0700", source=PHONE),
    record("BodyTemperature", "101.3", "degF", notes={"HKWasUserEntered": "1"}),
    record("OxygenSaturation", "0.97", "%"),
    sleep("AsleepDeep", "2026-11-20 01:00:00 +0700", "2026-11-20 01:45:00 +0700"),
    record("ActiveEnergyBurned", "41.84", "kJ", end="2026-11-20 08:45:30 +0700"),
    record("BodyMass", "150", "lb", source=PHONE),
    record("BloodGlucose", "93", "mg/dL", notes={"HKBloodGlucoseMealTime": "1"}, source=PHONE),
    pressure("142", "91"),
    record("DietaryWater", "200", "mL", source=PHONE),
    record("HeartRate", "5000"),
)


def heart_rates(count: int) -> Iterator[bytes]:
    """An export of so many records, in parts: one a second."""
    yield HEAD.encode()
    for number in range(0, count, 500):
        lines = []
        for i in range(number, min(number + 500, count)):
            minutes, second = divmod(i, 60)
            hours, minute = divmod(minutes, 60)
            day, hour = divmod(hours, 24)
            lines.append(
                record(
                    "HeartRate",
                    str(60 + i % 40),
                    start=f"2026-11-{day + 1:02} {hour:02}:{minute:02}:{second:02} +0700",
                )
            )
        yield "".join(lines).encode()
    yield TAIL.encode()


class _Pipe(io.RawIOBase):
    """Where a phone's archive goes as it is made: it cannot be rewound, so sizes follow the entries."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.parts.append(bytes(data))  # type: ignore[call-overload]
        return len(self.parts[-1])


def archive(
    export: Iterable[bytes],
    others: dict[str, bytes] | None = None,
    name: str = "apple_health_export/export.xml",
) -> bytes:
    """The export behind other files."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        for path, data in (others or {}).items():
            made.writestr(path, data)
        with made.open(name, "w") as entry:
            for part in export:
                entry.write(part)
    return b"".join(pipe.parts)
