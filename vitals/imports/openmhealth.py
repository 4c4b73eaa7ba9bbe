"""Open mHealth documents as items of a batch: data points, bodies of a named schema, Granola's HealthKit.

What a schema allows and a measurement needs differ. A body whose version lets the time be missing takes that
of its data point's creation. What stands for more than a day is a statistic and no measurement, and steps
that are an average or a maximum were never walked (interval-invalid). A day and a part of it is no time
(tz-missing). Schemas that no kind of ours measures are refused as kind-unknown.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from vitals.ids import content_id
from vitals.imports.found import Found
from vitals.imports.openmhealth_models import (
    Body,
    CategorySample,
    Correlation,
    DataPoint,
    Frame,
    Header,
    Metadata,
    QuantitySample,
    SchemaId,
    Span,
    UnitValue,
    Workout,
)
from vitals.wire import Code, Rejected, Sample, Source, SourceKind

Wanted = TypeVar("Wanted")
Version = tuple[int, ...]


class Measure(Struct, frozen=True):
    """One schema of one value. units: as Open mHealth writes them → ours. timed_from: the version from which
    the time must be there."""

    field: str
    kind: str
    units: dict[str, str]
    timed_from: Version


_MEASURES: Final = {
    "blood-glucose": Measure("blood_glucose", "glucose", {"mg/dL": "mg/dL", "mmol/L": "mmol/L"}, (3,)),
    "blood-pressure": Measure("systolic_blood_pressure", "blood-pressure", {"mmHg": "mmHg"}, (3,)),
    "body-temperature": Measure("body_temperature", "temperature", {"C": "Cel", "F": "[degF]"}, (3,)),
    "body-weight": Measure("body_weight", "weight", {"kg": "kg", "g": "g", "lb": "[lb_av]"}, (2,)),
    "heart-rate": Measure("heart_rate", "heart-rate", {"beats/min": "/min"}, (2,)),
    "oxygen-saturation": Measure("oxygen_saturation", "spo2", {"%": "%"}, (2,)),
    "respiratory-rate": Measure("respiratory_rate", "resp-rate", {"breaths/min": "/min"}, (2,)),
    "step-count": Measure("step_count", "steps", {"steps": "{steps}"}, (2,)),
}
# Measured in units that are checked, and no kind of ours: a single interval between beats, and a sum of sleep
# that does not say when it was slept.
_STRANGE: Final = {
    "rr-interval": Measure("rr_interval", "", {"ms": "ms"}, (2,)),
    "total-sleep-time": Measure("total_sleep_time", "", {"h": "h", "min": "min"}, (1,)),
}
_GRANOLA: Final[dict[str, type[Struct] | Any]] = {
    "hk-quantity-sample": QuantitySample,
    "hk-category-sample": CategorySample,
    "hk-correlation": Correlation,
    "hk-workout": Workout,
    "hk-metadata": list[Metadata],
}
# What HealthKit calls a value, and in which unit Granola gives it.
_QUANTITIES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "HeartRate": ("heart-rate", {"count/min": "/min"}),
    "RestingHeartRate": ("resting-hr", {"count/min": "/min"}),
    "OxygenSaturation": ("spo2", {"%": "%"}),
    "RespiratoryRate": ("resp-rate", {"count/min": "/min"}),
    "BodyTemperature": ("temperature", {"degC": "Cel", "degF": "[degF]"}),
    "BloodGlucose": ("glucose", {"mg/dL": "mg/dL"}),
    "BodyMass": ("weight", {"kg": "kg", "lb": "[lb_av]"}),
    "Height": ("height", {"cm": "cm", "m": "m", "in": "[in_i]"}),
    "StepCount": ("steps", {"count": "count"}),
    "ActiveEnergyBurned": ("active-energy", {"kcal": "kcal"}),
}
_STAGES: Final = {"InBed": "in-bed", "Asleep": "asleep"}
_SITES: Final = {
    "oral": "oral",
    "axillary": "axillary",
    "rectal": "rectal",
    "tympanic": "ear",
    "forehead": "forehead",
    "wrist": "wrist",
}
_ACTIVITIES: Final = {"at rest": "rest", "active": "workout", "during exercise": "workout"}
_LENGTHS: Final = {"d": 86_400, "h": 3_600, "min": 60, "sec": 1, "s": 1}
_APP: Final = "open-mhealth"
_UNTITLED: Final = SchemaId("omh", "data-point", "1.0")


class NotTakenError(Exception):
    """A document, or a part of one, that becomes no item."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


def read(document: bytes, schema: SchemaId | None = None, created: datetime | None = None) -> Found:
    """schema: of a bare body; a data point names its own. created: when a bare body was made."""
    found = Found()
    made = _Reading(found, schema or _UNTITLED, created)
    _try(found, lambda: made.document(msgspec.json.decode(document)))
    return found


def _try(found: Found, part: Callable[[], None]) -> None:
    """Take a part, or note why it is not taken; parts are counted in the order of the document."""
    place = len(found.samples) + len(found.rejected)
    try:
        part()
    except NotTakenError as error:
        found.rejected.append(Rejected(of="samples", i=place, code=error.code))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        code: Code = "tz-missing" if "timezone component" in str(error) else "malformed"
        found.rejected.append(Rejected(of="samples", i=place, code=code))


class _Reading:
    """One document on its way to items."""

    def __init__(self, found: Found, schema: SchemaId, created: datetime | None) -> None:
        self.found, self.schema, self.created = found, schema, created
        self.id: UUID | None = None
        self.source = Source(app=_APP, kind="other")

    def document(self, body: Any) -> None:
        if self.schema.name == "data-point":
            point = msgspec.convert(body, DataPoint)
            self._take_header(point.header)
            body = point.body
        if self.schema.namespace == "granola":
            self._granola(body)
        elif self.schema.name == "sleep-episode":
            self._episode(msgspec.convert(body, Body))
        elif self.schema.name in _MEASURES:
            self._measure(msgspec.convert(body, Body), _MEASURES[self.schema.name])
        else:
            self._check_stranger(body)
            raise NotTakenError("kind-unknown")

    def _take_header(self, header: Header) -> None:
        self.schema, self.created, self.id = header.schema_id, header.creation_date_time, header.id
        origin = header.acquisition_provenance
        if origin is not None:
            typed = origin.modality == "self-reported"
            app = msgspec.convert(origin.source_name, Source.__annotations__["app"])
            self.source = Source(
                app=app, kind="manual" if typed else "other", method="manual" if typed else "automatic"
            )

    def _check_stranger(self, body: Any) -> None:
        """What is malformed is said to be so, also of schemas that nothing here measures."""
        if self.schema.name == "header":
            msgspec.convert(body, Header)
        if measure := _STRANGE.get(self.schema.name):
            known = msgspec.convert(body, Body)
            _value_of(known, measure)
            self._times(known.effective_time_frame, measure)

    def _measure(self, body: Body, measure: Measure) -> None:
        value, unit = _value_of(body, measure)
        start, end = self._times(body.effective_time_frame, measure)
        second = None
        if measure.kind == "blood-pressure":
            second, _ = _of_unit(body.diastolic_blood_pressure, measure.units)
        if measure.kind == "steps" and body.descriptive_statistic is not None:
            raise NotTakenError("interval-invalid")
        source = _worn(self.source, body)
        self._add(
            source, measure.kind, (start, end), value, unit, ctx=_context(body, measure.kind), v2=second
        )

    def _episode(self, body: Body) -> None:
        """An episode says from when to when somebody lay down; the stages within it have no times."""
        if body.effective_time_frame is None:
            raise NotTakenError("malformed")
        self._lie("in-bed", body.effective_time_frame)

    def _granola(self, body: Any) -> None:
        shape = _GRANOLA.get(self.schema.name)
        if shape is None:
            raise NotTakenError("kind-unknown")
        read = msgspec.convert(body, shape)
        if isinstance(read, QuantitySample):
            self._quantity(read)
        elif isinstance(read, CategorySample):
            self._category(read)
        elif isinstance(read, Correlation):
            self._correlation(read)
        else:
            raise NotTakenError("kind-unknown")

    def _correlation(self, correlation: Correlation) -> None:
        parts: list[Callable[[], None]] = [
            *(lambda one=one: self._quantity(one) for one in correlation.quantity_samples),
            *(lambda one=one: self._category(one) for one in correlation.category_samples),
        ]
        if not parts:
            raise NotTakenError("malformed")
        for part in parts:
            _try(self.found, part)

    def _quantity(self, sample: QuantitySample) -> None:
        if (sample.unit_value is None) == (sample.count is None):
            raise NotTakenError("malformed")
        named = sample.quantity_type.removeprefix("HKQuantityTypeIdentifier")
        if named not in _QUANTITIES:
            raise NotTakenError("kind-unknown")
        kind, units = _QUANTITIES[named]
        value, unit = _of_unit(sample.unit_value or UnitValue(sample.count or 0, "count"), units)
        start, end = _within(sample.effective_time_frame)
        source = _healthkit(sample.metadata)
        self._add(source, kind, (start, None if end == start else end), value, unit)

    def _category(self, sample: CategorySample) -> None:
        if sample.category_type != "HKCategoryTypeIdentifierSleepAnalysis":
            raise NotTakenError("kind-unknown")
        if sample.category_value not in _STAGES:
            raise NotTakenError("context-missing")
        self.source = _healthkit(sample.metadata)
        self._lie(_STAGES[sample.category_value], sample.effective_time_frame)

    def _lie(self, stage: str, frame: Frame) -> None:
        start, end = _within(frame)
        minutes = 0.0 if end is None else (end - start).total_seconds() / 60
        self._add(self.source, "sleep", (start, end), minutes, "min", ctx=stage)

    def _times(self, frame: Frame | None, measure: Measure) -> tuple[datetime, datetime | None]:
        if frame is not None:
            return _within(frame)
        if _version(self.schema) >= measure.timed_from:
            raise NotTakenError("malformed")
        if self.created is None:
            raise NotTakenError("tz-missing")
        return self.created, None

    def _add(
        self,
        source: Source,
        kind: str,
        times: tuple[datetime, datetime | None],
        value: float,
        unit: str,
        *,
        ctx: str | None = None,
        v2: float | None = None,
    ) -> None:
        start, end = times
        name = kind if ctx is None else f"{kind}.{ctx}"
        self.found.samples.append(
            Sample(
                id=self.id or content_id(source.app, name, round(start.timestamp() * 1000), value),
                k=kind,
                t=start,
                v=value,
                u=unit,
                s=self.found.source(source),
                v2=v2,
                end=end,
                z=_zone(start),
                ctx=ctx,
            )
        )


def _value_of(body: Body, measure: Measure) -> tuple[float, str]:
    value: UnitValue | int | None = getattr(body, measure.field)
    # Steps were a bare number before they had a unit.
    return _of_unit(UnitValue(value, "steps") if isinstance(value, int) else value, measure.units)


def _of_unit(value: UnitValue | None, units: dict[str, str]) -> tuple[float, str]:
    if value is None:
        raise NotTakenError("malformed")
    if value.unit not in units:
        raise NotTakenError("unit-unknown")
    return value.value, units[value.unit]


def _within(frame: Frame) -> tuple[datetime, datetime | None]:
    """When it was measured, and until when where it took a time."""
    if (frame.date_time is None) == (frame.time_interval is None):
        raise NotTakenError("malformed")
    if frame.time_interval is None:
        assert frame.date_time is not None
        return frame.date_time, None
    return _ends(frame.time_interval)


def _ends(span: Span) -> tuple[datetime, datetime]:
    start, end = span.start_date_time, span.end_date_time
    length = None if span.duration is None else _length(span.duration)
    if span.date is not None and start is None and end is None:
        raise NotTakenError("tz-missing")
    if start is not None and end is not None and length is None:
        return start, end
    if length is not None and start is not None and end is None:
        return start, start + length
    if length is not None and end is not None and start is None:
        return end - length, end
    raise NotTakenError("malformed")


def _length(duration: UnitValue) -> timedelta:
    if duration.unit not in _LENGTHS:
        raise NotTakenError("unit-unknown")
    return timedelta(seconds=duration.value * _LENGTHS[duration.unit])


def _zone(at: datetime) -> int | None:
    """The offset as it was written; `Z` says no zone."""
    offset = at.utcoffset()
    minutes = 0 if offset is None else offset // timedelta(minutes=1)
    return minutes or None


def _context(body: Body, kind: str) -> str | None:
    if kind == "heart-rate":
        return _ACTIVITIES.get(body.temporal_relationship_to_physical_activity or "")
    if kind == "glucose":
        return _meal(body.temporal_relationship_to_meal or "", body.temporal_relationship_to_sleep or "")
    if kind == "temperature" and body.measurement_location is not None:
        if body.measurement_location not in _SITES:
            raise NotTakenError("context-missing")
        return _SITES[body.measurement_location]
    return None


def _meal(meal: str, sleep: str) -> str | None:
    if meal == "fasting":
        return "fasting"
    if meal.startswith(("before", "after")):
        return "pre-meal" if meal.startswith("before") else "post-meal"
    return "bedtime" if sleep.startswith("before sleep") else None


def _worn(source: Source, body: Body) -> Source:
    """What glucose was measured in says with what."""
    kinds: dict[str | None, SourceKind] = {"interstitial fluid": "cgm", "capillary blood": "meter"}
    kind = kinds.get(body.specimen_source, source.kind)
    is_said = source.kind in (kind, "manual")
    return source if is_said else msgspec.structs.replace(source, kind=kind)


def _healthkit(metadata: Iterable[Metadata]) -> Source:
    said = {one.key: str(one.value).lower() for one in metadata}
    typed = said.get("HKMetadataKeyWasUserEntered") in ("true", "1", "1.0", "yes")
    app = "com.apple.health"
    return Source(app=app, kind="manual", method="manual") if typed else Source(app=app, kind="other")


def _version(schema: SchemaId) -> Version:
    """A version that is none of numbers counts as the newest, which asks for most."""
    parts = schema.version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else (10**6,)
