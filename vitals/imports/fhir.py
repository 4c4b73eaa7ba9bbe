"""FHIR R4 Observations as items of a batch: ours again, those of health devices (HL7 PHD) and of others.

A gateway may send codes of IEEE 11073 alone. What has no value (NaN, a reason why it is absent) is refused
and never becomes 0; times stay as they were sent, and what the document says of the device's clock stands
beside them. Statistics of an hour are no measurements.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw

from vitals.fhir.systems import CONTEXT, ID, KIND, LOINC, MDC, MDC_TIME, OURS, SOURCE_KIND
from vitals.ids import content_id
from vitals.imports.fhir_models import (
    Component,
    Concept,
    Device,
    Document,
    Entry,
    Observation,
    Resource,
    SampledData,
)
from vitals.imports.found import Found
from vitals.kinds import KINDS, Kind
from vitals.wire import Code, Deletion, Rejected, Sample, Series, Source, SourceKind

# Codes of IEEE 11073-10101 that the guide's examples and vitals.md name.
_OF_MDC: Final = {
    "150456": "spo2",
    "149530": "heart-rate",
    "150364": "temperature",
    "160368": "glucose",
    "160184": "glucose",
}
_MEALS: Final = {"8417872": "post-meal"}
_SPECIALIZED: Final[dict[str, SourceKind]] = {"528388": "oximeter"}
_SENSOR_GLUCOSE: Final = "105272-9"
_TAKEN: Final = {"final", "amended", "corrected", "preliminary"}
_BLOOD_PRESSURE: Final = KINDS["blood-pressure"]
_APP: Final = "fhir"
_MS: Final = timedelta(milliseconds=1)
_ZONES: Final = range(-720, 841)
_NAME_MAX: Final = 120
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _kinds_by_loinc() -> dict[str, Kind]:
    """Wrist temperature shares the code of a body's: without a word it is the body's."""
    found: dict[str, Kind] = {}
    for kind in KINDS.values():
        parts = () if kind is _BLOOD_PRESSURE else kind.loinc_also
        for code in (kind.loinc, *parts):
            if code:
                found.setdefault(code, kind)
    return found


_OF_LOINC: Final = _kinds_by_loinc()


def read(document: bytes) -> Found:
    """An Observation, or a Bundle with such among others. A document that is neither has one rejection.

    Each entry is decoded alone: what is decoded at once holds up all other work."""
    found = Found()
    try:
        entries = list(_parts(document))
    except msgspec.MsgspecError:
        found.rejected.append(Rejected(of="samples", i=0, code="malformed"))
        return found
    devices = dict(_devices(entries))
    for i, one in enumerate(it for it in entries if it.kind in ("Observation", "")):
        code = _take(found, one.resource, devices) if one.kind else "malformed"
        if code is not None:
            found.rejected.append(Rejected(of="samples", i=i, code=code))
    return found


class _Part(NamedTuple):
    """kind: of resource; empty: none."""

    kind: str
    full_url: str
    resource: Raw


def _parts(document: bytes) -> Iterator[_Part]:
    whole = msgspec.json.decode(document, type=Document)
    if whole.resource_type == "Observation":
        yield _Part(whole.resource_type, "", Raw(document))
    elif whole.resource_type != "Bundle":
        raise msgspec.ValidationError("no Observation")
    for one in whole.entry:
        yield _part(one)


def _part(raw: Raw) -> _Part:
    try:
        entry = msgspec.json.decode(raw, type=Entry)
        return _Part(
            msgspec.json.decode(entry.resource, type=Resource).resource_type, entry.full_url, entry.resource
        )
    except msgspec.MsgspecError:
        return _Part("", "", raw)


def _devices(entries: Iterable[_Part]) -> Iterable[tuple[str, Device]]:
    for one in entries:
        if one.kind == "Device":
            with suppress(msgspec.ValidationError):
                device = msgspec.json.decode(one.resource, type=Device)
                yield one.full_url, device
                yield f"Device/{device.id}", device


def _take(found: Found, resource: Raw, devices: dict[str, Device]) -> Code | None:
    """Add what an Observation says, or say why it is not taken."""
    try:
        observed = msgspec.json.decode(resource, type=Observation)
    except msgspec.MsgspecError:
        return "malformed"
    if _codes(observed.code, MDC) == [MDC_TIME]:
        return _note_clock(found, observed)
    if observed.status == "entered-in-error":
        ident = _own_id(observed)
        if ident is None:
            return "malformed"
        found.deleted.append(Deletion(id=ident, ver=_version(observed)))
        return None
    if observed.status not in _TAKEN:
        return "malformed"
    return _Reading(observed, devices).into(found)


def _note_clock(found: Found, observed: Observation) -> Code | None:
    """What two clocks said at one instant: the gateway's is the effective time, the device's the value."""
    gateway, device = _instant(observed.effective_date_time), _instant(observed.value_date_time)
    if gateway is None or device is None:
        return "tz-missing"
    found.clock_offset_ms = (gateway - device) // _MS
    return None


class _Reading:
    """One Observation on its way to an item."""

    def __init__(self, observed: Observation, devices: dict[str, Device]) -> None:
        self.observed = observed
        self.device_name = observed.device.reference if observed.device else ""
        self.device = devices.get(self.device_name)
        self.contexts = [one.value_code for one in observed.extension if one.url == CONTEXT]
        self.contexts += [_meal(one) for one in observed.component]

    def into(self, found: Found) -> Code | None:
        times = self._times()
        if isinstance(times, str):
            return times
        kind = _kind(self.observed.code)
        if kind is _BLOOD_PRESSURE:
            return self._pressure(found, *times)
        if kind is None:
            return self._parts(found, *times)
        if self.observed.value_sampled_data is not None:
            return self._series(found, kind, times[0], self.observed.value_sampled_data)
        quantity = self.observed.value_quantity
        if quantity is None or quantity.value is None:
            return "implausible" if not self.observed.component else "malformed"
        self._sample(found, kind, *times, quantity.value, None, quantity.code or quantity.unit)
        return None

    def _times(self) -> tuple[datetime, datetime | None] | Code:
        period = self.observed.effective_period
        if period is None:
            at = _instant(self.observed.effective_date_time)
            return "tz-missing" if at is None else (at, None)
        start, end = _instant(period.start), _instant(period.end)
        return "tz-missing" if start is None or end is None else (start, end)

    def _pressure(self, found: Found, at: datetime, end: datetime | None) -> Code | None:
        values = [_part_of(self.observed.component, code) for code in _BLOOD_PRESSURE.loinc_also]
        first, second = values
        if first is None or second is None:
            return "malformed"
        if first[1] != second[1]:
            return "unit-unknown"
        self._sample(found, _BLOOD_PRESSURE, at, end, first[0], second[0], first[1])
        return None

    def _parts(self, found: Found, at: datetime, end: datetime | None) -> Code | None:
        """A compound of several measurements under a code of its own: each part that we know."""
        code: Code | None = "kind-unknown"
        for part in self.observed.component:
            kind, quantity = _kind(part.code), part.value_quantity
            if kind is not None and quantity is not None and quantity.value is not None:
                unit = quantity.code or quantity.unit
                self._sample(found, kind, at, end, quantity.value, None, unit, is_part=True)
                code = None
        return code

    def _sample(
        self,
        found: Found,
        kind: Kind,
        at: datetime,
        end: datetime | None,
        value: float,
        value2: float | None,
        unit: str,
        *,
        is_part: bool = False,
    ) -> None:
        own = None if is_part else _own_id(self.observed)
        found.samples.append(
            Sample(
                id=own or content_id(self.device_name, kind.name, (at - _EPOCH) // _MS, value),
                ver=_version(self.observed) or 1,
                k=kind.wire,
                t=at,
                end=end,
                z=_zone(at),
                v=value,
                v2=value2,
                u=unit[:40],
                s=found.source(self._source()),
                ctx=self._context(kind),
            )
        )

    def _series(self, found: Found, kind: Kind, t0: datetime, data: SampledData) -> Code | None:
        """`E`, `U` and `L` stand for points without a value: the gate leaves NaN out."""
        tokens = data.data.split()
        if data.dimensions != 1 or not tokens or data.period < 1 or data.period % 1:
            return "series-shape"
        try:
            values = [_point(token, data) for token in tokens]
        except ValueError:
            return "series-shape"
        found.series.append(
            Series(
                id=_own_id(self.observed)
                or content_id(self.device_name, kind.name, (t0 - _EPOCH) // _MS, values[0]),
                ver=_version(self.observed) or 1,
                k=kind.wire,
                t0=t0,
                z=_zone(t0),
                v=values,
                u=(data.origin.code or data.origin.unit)[:40],
                s=found.source(self._source()),
                step_ms=int(data.period),
                ctx=self._context(kind),
            )
        )
        return None

    def _context(self, kind: Kind) -> str | None:
        said = next((one for one in self.contexts if one in kind.contexts), None)
        return kind.contexts[0] if said is None and kind.needs_context else said

    def _source(self) -> Source:
        by_person = bool(self.observed.performer) and (
            _own_id(self.observed) is not None or self.observed.device is None
        )
        return Source(
            app=self._app(),
            kind=self._source_kind(),
            model=_model(self.device),
            method="manual" if by_person else "automatic",
        )

    def _app(self) -> str:
        names = self.device.identifier if self.device else ()
        return _clean(next((one.value for one in names if one.system == OURS + "vital-app"), "")) or _APP

    def _source_kind(self) -> SourceKind:
        device = self.device
        for code in _codes(device.type, SOURCE_KIND) if device else ():
            with suppress(msgspec.ValidationError):
                kind: SourceKind = msgspec.convert(code, SourceKind)
                return kind
        for one in device.specialization if device else ():
            for code in _codes(one.system_type, MDC):
                if code in _SPECIALIZED:
                    return _SPECIALIZED[code]
        return "cgm" if _SENSOR_GLUCOSE in _codes(self.observed.code, LOINC) else "other"


def _codes(concept: Concept, system: str) -> list[str]:
    return [one.code for one in concept.coding if one.system == system]


def _kind(concept: Concept) -> Kind | None:
    """Our own name says most, then LOINC, then the device's code."""
    named = [KINDS[name] for name in _codes(concept, KIND) if name in KINDS]
    known = [_OF_LOINC[code] for code in _codes(concept, LOINC) if code in _OF_LOINC]
    device = [KINDS[_OF_MDC[code]] for code in _codes(concept, MDC) if code in _OF_MDC]
    return next(iter(named + known + device), None)


def _part_of(parts: Iterable[Component], code: str) -> tuple[float, str] | None:
    for part in parts:
        quantity = part.value_quantity
        if code in _codes(part.code, LOINC) and quantity is not None and quantity.value is not None:
            return quantity.value, quantity.code or quantity.unit
    return None


def _meal(part: Component) -> str | None:
    said = part.value_codeable_concept
    return next((_MEALS[code] for code in _codes(said, MDC) if code in _MEALS), None) if said else None


def _point(token: str, data: SampledData) -> float:
    if token in ("E", "U", "L"):
        return float("nan")
    return (data.origin.value or 0) + float(token) * data.factor


def _own_id(observed: Observation) -> UUID | None:
    for one in observed.identifier:
        if one.system == ID:
            with suppress(ValueError):
                return UUID(one.value)
    return None


def _version(observed: Observation) -> int | None:
    """Only of what was ours: other services count their versions otherwise."""
    text = observed.meta.version_id
    is_ours = _own_id(observed) is not None
    return int(text) if is_ours and text.isascii() and text.isdigit() and len(text) < 19 else None


def _instant(text: str | None) -> datetime | None:
    """A dateTime with its zone; a day alone, a time without a zone or with one of nowhere is no instant."""
    if text is None or len(text) < len("2018-11-11T19:07"):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None and _zone(at) in _ZONES else None


def _zone(at: datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None
    return offset // timedelta(minutes=1)


def _model(device: Device | None) -> str | None:
    if device is None:
        return None
    name = next((one.name for one in device.device_name), "")
    return _clean(name or f"{device.manufacturer} {device.model_number}") or None


def _clean(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable()).strip()[:_NAME_MAX]
