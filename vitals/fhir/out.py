"""One stored row as FHIR R4 Observations: pure, after the table of docs/vitals.md.

Values leave in the unit in which they were sent where FHIR's vital signs know it, else in the canonical one.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Final
from uuid import UUID, uuid5

from vitals.fhir.queries import SampleOut, SeriesOut, SourceOut, TombOut
from vitals.fhir.systems import (
    ABSENT,
    CATEGORY,
    COINCIDENT,
    COINCIDENT_PROFILE,
    CONTEXT,
    ID,
    KIND,
    LOINC,
    MDC,
    MDC_TIME,
    OURS,
    SELF_MEASURED,
    SOURCE_KIND,
    STATISTICS,
    UCUM,
    Json,
    concept,
)
from vitals.kinds import BY_NUMBER, CTX_BY_NUMBER, UNIT_BY_NUMBER, Kind, loinc_of, shown
from vitals.packing import unpack

_ACTIVITY: Final = ("steps", "active-energy", "sleep")
# Beside the canonical units, what the vital signs of FHIR R4 and laboratories write.
_AS_SENT: Final = {"[degF]", "g", "[lb_av]", "[in_i]", "mg/dL"}
_HOUR_MS: Final = 3_600_000


def of_sample(row: SampleOut, source: SourceOut, person: str) -> Json:
    """A single value; of a blood pressure two components."""
    kind = BY_NUMBER[row.kind]
    made = _head(str(row.id), row.ver, kind, row.ctx, source, person)
    made |= _when(row.t, row.end_t, row.z)
    unit = _unit(kind, row.unit)
    if kind.wire == "blood-pressure":
        parts = zip(kind.loinc_also, (row.v, row.v2), strict=True)
        return made | {"component": [part_of(kind, code, value, unit) for code, value in parts]}
    return made | {"valueQuantity": _quantity(shown(kind, row.v, unit), unit)}


def of_series(row: SeriesOut, source: SourceOut, person: str, since: datetime, until: datetime) -> list[Json]:
    """Points of [since, until) at a constant step as one SampledData, others as figures by the hour; one is a
    single value."""
    kind = BY_NUMBER[row.kind]
    values, offsets = unpack(row.pack, row.n)
    first, end = (round((at - row.t0) / timedelta(milliseconds=1)) for at in (since, until))
    points = [(at, value) for at, value in zip(offsets, values, strict=True) if first <= at < end]
    steps = {after[0] - before[0] for before, after in pairwise(points)}
    if points and (len(points) == 1 or (len(steps) == 1 and 0 not in steps)):
        head = _head(str(row.id), row.ver, kind, row.ctx, source, person)
        return [head | (_sampled(row, kind, points, *steps) if steps else _single(row, kind, *points[0]))]
    return [_figures(row, kind, hour, inside, source, person) for hour, inside in _by_hour(row.t0, points)]


def of_tomb(row: TombOut, person: str) -> Json:
    """What somebody may hold of us and what is no more: its id and version, and no value."""
    made = _identified(str(row.id), row.ver)
    return made | {
        "status": "entered-in-error",
        "code": _code(BY_NUMBER[row.kind], None),
        "subject": {"reference": person},
        "issued": _text(row.at, 0),
    }


def device_of(source: SourceOut, patient_id: UUID, person: str) -> Json:
    names = [{"name": source.model, "type": "model-name"}] if source.model else []
    made: Json = {
        "resourceType": "Device",
        "id": device_id(source, patient_id),
        "identifier": [{"system": OURS + "vital-app", "value": source.app}],
        "type": concept(SOURCE_KIND, source.kind),
        "patient": {"reference": person},
    }
    return made | ({"deviceName": names} if names else {})


def clock_of(source: SourceOut, patient_id: UUID) -> Json:
    """What the device's clock said when ours said something else, as the guide for health devices has it."""
    theirs = source.last_seen_at - timedelta(milliseconds=source.clock_offset_ms)
    return {
        "resourceType": "Observation",
        "id": clock_id(source, patient_id),
        "meta": {"profile": [COINCIDENT_PROFILE]},
        "status": "final",
        "code": concept(MDC, MDC_TIME, "MDC_ATTR_TIME_ABS"),
        "subject": {"reference": _urn(device_id(source, patient_id))},
        "effectiveDateTime": _text(source.last_seen_at, 0),
        "valueDateTime": _text(theirs, 0),
    }


def device_id(source: SourceOut, patient_id: UUID) -> str:
    return str(uuid5(patient_id, f"vital-source {source.source_id}"))


def clock_id(source: SourceOut, patient_id: UUID) -> str:
    return str(uuid5(patient_id, f"vital-clock {source.source_id}"))


def referring(made: Json, source: SourceOut, patient_id: UUID) -> Json:
    """An Observation with its device and the clock of it."""
    clock = {"url": COINCIDENT, "valueReference": {"reference": _urn(clock_id(source, patient_id))}}
    extensions = [*made.get("extension", []), *([clock] if source.clock_offset_ms else [])]
    made["device"] = {"reference": _urn(device_id(source, patient_id))}
    return made | ({"extension": extensions} if extensions else {})


def _head(ident: str, ver: int, kind: Kind, ctx: int | None, source: SourceOut, person: str) -> Json:
    made = _identified(ident, ver) | {
        "status": "final",
        "category": [concept(CATEGORY, "activity" if kind.wire in _ACTIVITY else "vital-signs")],
        "code": _code(kind, source.kind),
        "subject": {"reference": person},
    }
    if source.method == "manual":
        made["performer"] = [{"reference": person}]
    if ctx is not None:
        made["extension"] = [{"url": CONTEXT, "valueCode": CTX_BY_NUMBER[ctx]}]
    return made


def _identified(ident: str, ver: int | None) -> Json:
    version = {} if ver is None else {"versionId": str(ver)}
    return {
        "resourceType": "Observation",
        "id": ident,
        "meta": version | {"tag": [SELF_MEASURED]},
        "identifier": [{"system": ID, "value": ident}],
    }


def _code(kind: Kind, source_kind: str | None) -> Json:
    """Our name of the kind, and LOINC's where there is one."""
    codes = [code for code in (loinc_of(kind, source_kind),) if code]
    if kind.wire == "spo2":
        codes += kind.loinc_also
    return {
        "coding": [
            *({"system": LOINC, "code": code} for code in codes),
            {"system": KIND, "code": kind.name},
        ]
    }


def _when(since: datetime, until: datetime | None, zone: int) -> Json:
    if until is None:
        return {"effectiveDateTime": _text(since, zone)}
    return {"effectivePeriod": {"start": _text(since, zone), "end": _text(until, zone)}}


def _text(at: datetime, zone: int) -> str:
    local = at.astimezone(timezone(timedelta(minutes=zone)))
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


def part_of(kind: Kind, code: str, value: int | None, unit: str) -> Json:
    made: Json = {"code": concept(LOINC, code)}
    if value is None:
        return made | {"dataAbsentReason": concept(ABSENT, "unknown")}
    return made | {"valueQuantity": _quantity(shown(kind, value, unit), unit)}


def _unit(kind: Kind, number: int) -> str:
    sent = UNIT_BY_NUMBER[number]
    return sent if sent in _AS_SENT else kind.unit


def _quantity(value: float, unit: str) -> Json:
    return {"value": _number(value), "unit": unit, "system": UCUM, "code": unit}


def _number(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _single(row: SeriesOut, kind: Kind, offset: int, value: int) -> Json:
    unit = _unit(kind, row.unit)
    at = row.t0 + timedelta(milliseconds=offset)
    return _when(at, None, row.z) | {"valueQuantity": _quantity(shown(kind, value, unit), unit)}


def _sampled(row: SeriesOut, kind: Kind, points: Sequence[tuple[int, int]], step: int) -> Json:
    """Values = data × factor: kept values as they are, or what was sent, where that is another unit."""
    first, last = (row.t0 + timedelta(milliseconds=points[i][0]) for i in (0, -1))
    unit = _unit(kind, row.unit)
    canonical = unit == kind.unit
    data = [value if canonical else _number(shown(kind, value, unit)) for _, value in points]
    return _when(first, last, row.z) | {
        "valueSampledData": {
            "origin": _quantity(0, unit),
            "period": step,
            "factor": _number(1 / kind.scale) if canonical else 1,
            "dimensions": 1,
            "data": " ".join(map(str, data)),
        }
    }


def _by_hour(
    t0: datetime, points: Sequence[tuple[int, int]]
) -> Iterator[tuple[datetime, list[tuple[int, int]]]]:
    start = round(t0.timestamp() * 1000)
    hours: dict[int, list[tuple[int, int]]] = {}
    for point in points:
        hours.setdefault((start + point[0]) // _HOUR_MS, []).append(point)
    for hour, inside in hours.items():
        yield datetime.fromtimestamp(hour * 3600, UTC), inside


def _figures(
    row: SeriesOut,
    kind: Kind,
    hour: datetime,
    points: Sequence[tuple[int, int]],
    source: SourceOut,
    person: str,
) -> Json:
    """What one record says of one hour, from its first point there to its last: an hour may have many
    records, and none speaks for the others. Of steps and energy the sum too: an average of such says nothing.
    """
    made = _head(str(uuid5(row.id, hour.isoformat())), row.ver, kind, row.ctx, source, person)
    inside = [value for _, value in points]
    first, last = (row.t0 + timedelta(milliseconds=points[i][0]) for i in (0, -1))
    whole = sum(inside)
    figures: dict[str, float] = {
        "average": round(whole / len(inside) / kind.scale, 3),
        "minimum": min(inside) / kind.scale,
        "maximum": max(inside) / kind.scale,
    }
    if kind.is_cumulative:
        figures["sum"] = whole / kind.scale
    parts = [
        {"code": concept(STATISTICS, name), "valueQuantity": _quantity(value, kind.unit)}
        for name, value in figures.items()
    ]
    parts.append({"code": concept(STATISTICS, "count"), "valueQuantity": _quantity(len(inside), "1")})
    made["identifier"].append({"system": OURS + "vital-series", "value": str(row.id)})
    return made | _when(first, last, row.z) | {"component": parts}


def _urn(ident: str) -> str:
    return f"urn:uuid:{ident}"
