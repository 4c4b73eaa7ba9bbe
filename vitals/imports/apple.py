"""Apple Health's export.xml, of any size: read as its bytes come, without a tree.

The document type that every export begins with is skipped unread (some releases write one that no parser
takes), so an entity has no meaning and ends the file. A blood pressure is a correlation; its two records
stand in the file once more, and are left out there. Records have no ids: equal kind, source, time and value
are one reading.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from lxml import etree

from kernel.safe_xml import parser_options
from vitals.ids import content_id
from vitals.imports.archive import HEAD_MAX, ROOT, Unpacking
from vitals.imports.items import WHAT_MAX, FileFaultError, Form, Item, Read, Refusal
from vitals.wire import Code, Sample, Source, SourceKind

APP: Final = "com.apple.health"
# Names of models that one file may bring; further ones are not told apart.
MODELS_MAX: Final = 100
_NAME_MAX: Final = 120
_BEATS: Final = {"count/min": "/min"}
_QUANTITY: Final = "HKQuantityTypeIdentifier"
_SLEEP: Final = "HKCategoryTypeIdentifierSleepAnalysis"
_PRESSURE: Final = "HKCorrelationTypeIdentifierBloodPressure"
_SYSTOLIC: Final = "HKQuantityTypeIdentifierBloodPressureSystolic"
_DIASTOLIC: Final = "HKQuantityTypeIdentifierBloodPressureDiastolic"
_PRESSURES: Final = {"mmHg": "mm[Hg]", "kPa": "kPa"}
# Their kind, and their units as ours. Context, where the type itself says one.
_QUANTITIES: Final[dict[str, tuple[str, dict[str, str], str | None]]] = {
    "HeartRate": ("heart-rate", _BEATS, None),
    "RestingHeartRate": ("resting-hr", _BEATS, None),
    "HeartRateVariabilitySDNN": ("hrv", {"ms": "ms", "s": "s"}, "sdnn"),
    "OxygenSaturation": ("spo2", {"%": "1"}, None),
    "RespiratoryRate": ("resp-rate", _BEATS, None),
    "BodyTemperature": ("temperature", {"degC": "Cel", "degF": "[degF]"}, None),
    "AppleSleepingWristTemperature": ("temperature", {"degC": "Cel", "degF": "[degF]"}, "wrist"),
    "BloodGlucose": ("glucose", {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}, None),
    "BodyMass": ("weight", {"kg": "kg", "g": "g", "lb": "[lb_av]"}, None),
    "Height": ("height", {"cm": "cm", "m": "m", "in": "[in_i]"}, None),
    "StepCount": ("steps", {"count": "count"}, None),
    "ActiveEnergyBurned": ("active-energy", {"kcal": "kcal", "Cal": "Cal", "kJ": "kJ"}, None),
}
_INTERVALS: Final = {"steps", "active-energy", "sleep"}
_STAGES: Final = {
    "InBed": "in-bed",
    "Asleep": "asleep",
    "AsleepUnspecified": "asleep",
    "AsleepCore": "light",
    "AsleepDeep": "deep",
    "AsleepREM": "rem",
    "Awake": "awake",
}
# By kind: which entry says the circumstances, and what its numbers mean (HKMetadata, HealthKit).
_CIRCUMSTANCES: Final = {
    "heart-rate": ("HKMetadataKeyHeartRateMotionContext", {"1": "rest", "2": "workout"}),
    "glucose": ("HKBloodGlucoseMealTime", {"1": "pre-meal", "2": "post-meal"}),
    "temperature": (
        "HKBodyTemperatureSensorLocation",
        {
            "1": "axillary",
            "3": "ear",
            "6": "oral",
            "7": "rectal",
            "9": "ear",
            "10": "forehead",
            "11": "forehead",
        },
    ),
}
_TYPED: Final = "HKWasUserEntered"
_ZONE: Final = "HKTimeZone"
_NOTED: Final = {_TYPED, _ZONE, *(entry for entry, _ in _CIRCUMSTANCES.values())}
_KINDS: Final[tuple[tuple[str, SourceKind], ...]] = (("watch", "watch"), ("iphone", "phone"))
_ABOUT: Final = {"ExportDate", "Me"}
_MINUTE: Final = timedelta(minutes=1)
_ZONES: Final = range(-720, 841)


class _Part(NamedTuple):
    """A record or a correlation that is not closed yet. parts: the records in a correlation."""

    attributes: dict[str, str]
    notes: dict[str, str]
    parts: list["_Part"]


class _NotTakenError(Exception):
    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code: Code = code


class AppleHealth:
    """A reader (vitals/imports/items.py) of export.xml."""

    form: Form = "apple-health"

    def __init__(self) -> None:
        self._records = _Records()
        self._head: bytes | None = b""
        # lxml-stubs want a target that takes bytes too; names come as text.
        target: Any = self._records
        self._parser: Any = etree.XMLParser(target=target, **parser_options())

    @property
    def left_out(self) -> int:
        return self._records.left_out

    def feed(self, part: bytes) -> Iterator[Read]:
        if self._head is not None:
            self._head += part
            start = self._head.find(ROOT)
            if start < 0:
                if len(self._head) > HEAD_MAX:
                    raise FileFaultError("form-unknown")
                return iter(())
            part, self._head = self._head[start:], None
        return self._parse(lambda: self._parser.feed(part))

    def close(self) -> Iterator[Read]:
        if self._head is not None:
            raise FileFaultError("form-unknown")
        return self._parse(self._parser.close)

    def _parse(self, step: Any) -> Iterator[Read]:
        """What was whole before the fault is taken."""
        fault = None
        try:
            step()
        except etree.XMLSyntaxError:
            fault = FileFaultError("file-broken", f"{self._records.place + 1}")
        found, self._records.found = self._records.found, []
        yield from found
        if fault is not None:
            raise fault


class PackedAppleHealth(AppleHealth):
    """The same inside the archive that the phone makes."""

    def __init__(self) -> None:
        super().__init__()
        self._unpacking = Unpacking()

    def feed(self, part: bytes) -> Iterator[Read]:
        for out in self._unpacking.feed(part):
            yield from super().feed(out)

    def close(self) -> Iterator[Read]:
        self._unpacking.close()
        yield from super().close()


class _Records:
    """What the parser calls. Of a record only what is known of it is kept, whatever else it holds."""

    def __init__(self) -> None:
        self.found: list[Read] = []
        self.place = self.left_out = 0
        self._depth = 0
        self._open: list[_Part] = []
        self._models: set[str] = set()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            if tag != "HealthData":
                raise FileFaultError("form-unknown")
        elif tag in ("Record", "Correlation") and len(self._open) == self._depth - 2:
            part = _Part(dict(attributes), {}, [])
            # A blood pressure has two parts; of further ones nothing is needed.
            if self._open and len(self._open[-1].parts) < 4:
                self._open[-1].parts.append(part)
            self._open.append(part)
        elif tag == "MetadataEntry" and self._open and attributes.get("key") in _NOTED:
            self._open[-1].notes[attributes["key"]] = attributes.get("value", "")
        elif self._depth == 2 and tag not in _ABOUT:
            self._refuse("kind-unknown", tag)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if len(self._open) == self._depth and tag in ("Record", "Correlation"):
            part = self._open.pop()
            if not self._open:
                self._take(part)

    def data(self, _text: str) -> None:
        """Nothing that is measured stands in text."""

    def close(self) -> None:
        """The parser asks for a result; there is none."""

    def _take(self, part: _Part) -> None:
        named = part.attributes.get("type", "")
        if named in (_SYSTOLIC, _DIASTOLIC):
            self.left_out += 1
            return
        try:
            item = _pressure(part) if named == _PRESSURE else _record(part, named)
        except _NotTakenError as error:
            self._refuse(error.code, named)
            return
        except OverflowError:
            self._refuse("malformed", named)
            return
        self.place += 1
        source = self._source(part)
        name = item.k if item.ctx is None else f"{item.k}.{item.ctx}"
        item.id = content_id(
            f"{source.app}/{source.model or ''}", name, round(item.t.timestamp() * 1000), item.v
        )
        self.found.append(Item(self.place, source, item))

    def _refuse(self, code: Code, what: str) -> None:
        self.place += 1
        self.found.append(Refusal(self.place, code, what[:WHAT_MAX]))

    def _source(self, part: _Part) -> Source:
        model: str | None = _model(part.attributes)
        if model not in self._models and len(self._models) >= MODELS_MAX:
            model = None
        if model:
            self._models.add(model)
        is_typed = part.notes.get(_TYPED) in ("1", "true", "YES")
        if is_typed:
            return Source(app=APP, kind="manual", model=model or None, method="manual")
        named = f"{model} {part.attributes.get('sourceName', '')}".lower()
        kinds = [kind for word, kind in _KINDS if word in named]
        return Source(app=APP, kind=kinds[0] if kinds else "other", model=model or None)


def _record(part: _Part, named: str) -> Sample:
    if named == _SLEEP:
        return _sleep(part)
    known = _QUANTITIES.get(named.removeprefix(_QUANTITY)) if named.startswith(_QUANTITY) else None
    if known is None:
        raise _NotTakenError("kind-unknown")
    kind, units, ctx = known
    value, unit = _value(part), _unit(part, units)
    if kind == "spo2" and value > 1:
        unit = "%"
    if ctx is None and kind in _CIRCUMSTANCES:
        entry, words = _CIRCUMSTANCES[kind]
        ctx = words.get(part.notes.get(entry, ""))
    return _sample(part, kind, value, unit, ctx)


def _sleep(part: _Part) -> Sample:
    said = part.attributes.get("value", "").removeprefix("HKCategoryValueSleepAnalysis")
    if said not in _STAGES:
        raise _NotTakenError("context-missing")
    length = _time(part, "endDate") - _time(part, "startDate")
    return _sample(part, "sleep", length / _MINUTE, "min", _STAGES[said])


def _pressure(part: _Part) -> Sample:
    halves = {one.attributes.get("type"): one for one in part.parts}
    if _SYSTOLIC not in halves or _DIASTOLIC not in halves:
        raise _NotTakenError("malformed")
    upper, lower = halves[_SYSTOLIC], halves[_DIASTOLIC]
    unit = _unit(upper, _PRESSURES)
    if _unit(lower, _PRESSURES) != unit:
        raise _NotTakenError("unit-unknown")
    item = _sample(part, "blood-pressure", _value(upper), unit, None)
    item.v2 = _value(lower)
    return item


def _sample(part: _Part, kind: str, value: float, unit: str, ctx: str | None) -> Sample:
    start, end = _time(part, "startDate"), _time(part, "endDate")
    return Sample(
        id=_NO_ID,
        k=kind,
        t=start,
        v=value,
        u=unit,
        end=end if kind in _INTERVALS or end != start else None,
        z=_zone(part, start),
        ctx=ctx,
    )


_NO_ID: Final = content_id("", "", 0, 0)


def _value(part: _Part) -> float:
    try:
        return float(part.attributes["value"])
    except (KeyError, ValueError):
        raise _NotTakenError("malformed") from None


def _unit(part: _Part, units: dict[str, str]) -> str:
    """Moles of glucose are written with their mass: mmol<180.1558800000541>/L."""
    unit = part.attributes.get("unit", "")
    if unit.startswith("mmol<") and unit.endswith(">/L"):
        unit = "mmol/L"
    if unit not in units:
        raise _NotTakenError("unit-unknown")
    return units[unit]


def _time(part: _Part, name: str) -> datetime:
    """`2026-11-20 08:15:30 +0700`."""
    text = part.attributes.get(name, "")
    if len(text) == 19:
        raise _NotTakenError("tz-missing")
    try:
        at = datetime.fromisoformat(f"{text[:19]}{text[20:23]}:{text[23:25]}")
    except ValueError:
        raise _NotTakenError("malformed") from None
    if len(text) != 25 or at.tzinfo is None or _minutes(at) not in _ZONES:
        raise _NotTakenError("malformed")
    return at


def _minutes(at: datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None
    return offset // _MINUTE


def _zone(part: _Part, at: datetime) -> int:
    """An export writes every time in the zone where it was made; where it was measured, a note may say."""
    noted = part.notes.get(_ZONE)
    zone = _place(noted) if noted else None
    return _minutes(at if zone is None else at.astimezone(zone))


@lru_cache(maxsize=64)
def _place(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _model(attributes: dict[str, str]) -> str:
    """The device's own model rather than a name that somebody gave it. Of
    `<<HKDevice: 0x28>, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch7,1, …>`
    the number changes with every export."""
    device = attributes.get("device", "")
    for word in ("hardware:", "model:", "name:"):
        said = device.partition(word)[2].partition(", ")[0].rstrip(">").strip()
        if said:
            return _clean(said)
    return _clean(attributes.get("sourceName", ""))


def _clean(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable()).strip()[:_NAME_MAX]
