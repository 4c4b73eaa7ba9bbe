"""What is measured: codes, units, plausible values, and what a context changes.

Values are kept as whole numbers: canonical unit × scale, half-even. A context that changes the meaning (the
method of a heart rate variability, a stage of sleep, a wrist that is no site of a body temperature) makes a
kind of its own, so that hours, latest values and rules never mix them.

LOINC codes are to be checked against a release of LOINC before go-live.
"""

from fractions import Fraction
from typing import Final, Literal

from msgspec import Struct

from vitals.units import Conversion, conversion, scaled, unscaled

Fault = Literal["unit-unknown", "implausible"]

# Stable: the number of the unit that was sent stands beside every value. Never reused, only added to.
UNIT_NUMBERS: Final[dict[str, int]] = {
    "/min": 1,
    "count/min": 2,
    "bpm": 3,
    "ms": 4,
    "s": 5,
    "%": 6,
    "1": 7,
    "Cel": 8,
    "[degF]": 9,
    "mm[Hg]": 10,
    "mmHg": 11,
    "kPa": 12,
    "mmol/L": 13,
    "mg/dL": 14,
    "kg": 15,
    "g": 16,
    "[lb_av]": 17,
    "cm": 18,
    "m": 19,
    "[in_i]": 20,
    "{steps}": 21,
    "count": 22,
    "min": 23,
    "h": 24,
    "kcal": 25,
    "Cal": 26,
    "kJ": 27,
}
UNIT_BY_NUMBER: Final = {number: unit for unit, number in UNIT_NUMBERS.items()}

# Stable: stored beside every value. Never reused, only added to.
CTX_NUMBERS: Final[dict[str, int]] = {
    "sdnn": 1,
    "rmssd": 2,
    "oral": 3,
    "axillary": 4,
    "rectal": 5,
    "ear": 6,
    "forehead": 7,
    "wrist": 8,
    "fasting": 9,
    "pre-meal": 10,
    "post-meal": 11,
    "bedtime": 12,
    "in-bed": 13,
    "asleep": 14,
    "light": 15,
    "deep": 16,
    "rem": 17,
    "awake": 18,
    "morning": 19,
    "evening": 20,
    "rest": 21,
    "workout": 22,
}
CTX_BY_NUMBER: Final = {number: ctx for ctx, number in CTX_NUMBERS.items()}


class Kind(Struct, frozen=True, kw_only=True):
    """One stored kind. name: unique, in addresses of reads; wire: `k` of a batch.

    number: stored. loinc: the main code, None where none says exactly this; loinc_also: further codings of
    the same (oxygen saturation), the sensor's code (glucose) or the two parts (blood pressure).
    unit: canonical UCUM. accepted: what may be sent, by unit. low, high: plausible, both included, in the
    canonical unit; low2, high2: of the second value, None where there is none. contexts: what `ctx` may say;
    needs_context: it must say one of them. is_interval: has an end; is_cumulative: added up per source.
    """

    name: str
    wire: str
    number: int
    loinc: str | None
    unit: str
    accepted: dict[str, Conversion]
    low: float
    high: float
    scale: int
    contexts: tuple[str, ...] = ()
    needs_context: bool = False
    loinc_also: tuple[str, ...] = ()
    low2: float | None = None
    high2: float | None = None
    is_series: bool = False
    is_interval: bool = False
    is_cumulative: bool = False

    @property
    def bounds(self) -> tuple[int, int]:
        """The plausible values as stored."""
        return round(self.low * self.scale), round(self.high * self.scale)

    @property
    def bounds2(self) -> tuple[int, int] | None:
        """The plausible second values as stored."""
        if self.low2 is None or self.high2 is None:
            return None
        return round(self.low2 * self.scale), round(self.high2 * self.scale)


def _units(scale: int, of: dict[str, tuple[Fraction | int, int]]) -> dict[str, Conversion]:
    """of: by unit how many canonical units one of it is, and the decimals it is shown with."""
    return {unit: conversion(times, scale, decimals) for unit, (times, decimals) in of.items()}


# mm[Hg] in a kPa, mmol/L of glucose in a mg/dL, kg in a [lb_av] (UCUM).
KPA: Final = 1 / Fraction("0.133322387415")
MG_PER_DL: Final = 1 / Fraction("18.0156")
POUND: Final = Fraction("0.45359237")
PER_MINUTE: Final = _units(10, {"/min": (1, 1), "count/min": (1, 1)})
BEATS: Final = _units(10, {"bpm": (1, 1)})


def _hrv(method: str, number: int, loinc: str | None) -> Kind:
    return Kind(
        name=f"hrv-{method}",
        wire="hrv",
        number=number,
        loinc=loinc,
        unit="ms",
        accepted=_units(10, {"ms": (1, 1), "s": (1000, 4)}),
        low=1,
        high=500,
        scale=10,
        contexts=(method,),
        needs_context=True,
        is_series=True,
    )


def _temperature(name: str, number: int, contexts: tuple[str, ...], *, needs_context: bool) -> Kind:
    """Without a word about the site it is taken for a body temperature."""
    return Kind(
        name=name,
        wire="temperature",
        number=number,
        loinc="8310-5",
        unit="Cel",
        accepted=_units(100, {"Cel": (1, 2)}) | {"[degF]": conversion(Fraction(5, 9), 100, 1, add=-32)},
        low=30,
        high=44,
        scale=100,
        contexts=contexts,
        needs_context=needs_context,
        is_series=True,
    )


def _sleep(stage: str, number: int, loinc: str | None) -> Kind:
    """The value is the length: it must be what lies between time and end."""
    return Kind(
        name=f"sleep-{stage}",
        wire="sleep",
        number=number,
        loinc=loinc,
        unit="min",
        accepted=_units(10, {"min": (1, 1), "h": (60, 2), "s": (Fraction(1, 60), 0)}),
        low=0,
        high=1440,
        scale=10,
        contexts=(stage,),
        needs_context=True,
        is_interval=True,
    )


_ALL: Final = (
    Kind(
        name="heart-rate",
        wire="heart-rate",
        number=1,
        loinc="8867-4",
        unit="/min",
        accepted=PER_MINUTE | BEATS,
        low=20,
        high=250,
        scale=10,
        contexts=("rest", "workout"),
        is_series=True,
    ),
    Kind(
        name="resting-hr",
        wire="resting-hr",
        number=2,
        loinc="40443-4",
        unit="/min",
        accepted=PER_MINUTE | BEATS,
        low=20,
        high=200,
        scale=10,
    ),
    _hrv("sdnn", 3, "80404-7"),
    _hrv("rmssd", 4, None),
    Kind(
        name="spo2",
        wire="spo2",
        number=5,
        loinc="59408-5",
        loinc_also=("2708-6",),
        unit="%",
        accepted=_units(10, {"%": (1, 1), "1": (100, 3)}),
        low=50,
        high=100,
        scale=10,
        is_series=True,
    ),
    Kind(
        name="resp-rate",
        wire="resp-rate",
        number=6,
        loinc="9279-1",
        unit="/min",
        accepted=PER_MINUTE,
        low=3,
        high=70,
        scale=10,
        is_series=True,
    ),
    _temperature("temperature", 7, ("oral", "axillary", "rectal", "ear", "forehead"), needs_context=False),
    _temperature("temperature-wrist", 8, ("wrist",), needs_context=True),
    Kind(
        name="blood-pressure",
        wire="blood-pressure",
        number=9,
        loinc="85354-9",
        loinc_also=("8480-6", "8462-4"),
        unit="mm[Hg]",
        accepted=_units(10, {"mm[Hg]": (1, 1), "mmHg": (1, 1), "kPa": (KPA, 1)}),
        low=50,
        high=280,
        low2=20,
        high2=200,
        scale=10,
        contexts=("morning", "evening"),
    ),
    Kind(
        name="glucose",
        wire="glucose",
        number=10,
        loinc="14743-9",
        loinc_also=("105272-9",),
        unit="mmol/L",
        accepted=_units(100, {"mmol/L": (1, 2), "mg/dL": (MG_PER_DL, 0)}),
        low=0.6,
        high=55,
        scale=100,
        contexts=("fasting", "pre-meal", "post-meal", "bedtime"),
        is_series=True,
    ),
    Kind(
        name="weight",
        wire="weight",
        number=11,
        loinc="29463-7",
        unit="kg",
        accepted=_units(1000, {"kg": (1, 3), "g": (Fraction(1, 1000), 0), "[lb_av]": (POUND, 2)}),
        low=0.3,
        high=400,
        scale=1000,
    ),
    Kind(
        name="height",
        wire="height",
        number=12,
        loinc="8302-2",
        unit="cm",
        accepted=_units(10, {"cm": (1, 1), "m": (100, 3), "[in_i]": (Fraction(254, 100), 1)}),
        low=20,
        high=260,
        scale=10,
    ),
    Kind(
        name="steps",
        wire="steps",
        number=13,
        loinc="55423-8",
        unit="{steps}",
        accepted=_units(1, {"{steps}": (1, 0), "1": (1, 0), "count": (1, 0)}),
        low=0,
        high=30_000,
        scale=1,
        is_series=True,
        is_interval=True,
        is_cumulative=True,
    ),
    _sleep("in-bed", 14, None),
    _sleep("asleep", 15, "93832-4"),
    _sleep("light", 16, "93830-8"),
    _sleep("deep", 17, "93831-6"),
    _sleep("rem", 18, "93829-0"),
    _sleep("awake", 19, None),
    Kind(
        name="active-energy",
        wire="active-energy",
        number=20,
        loinc="41981-2",
        unit="kcal",
        accepted=_units(10, {"kcal": (1, 1), "Cal": (1, 1), "kJ": (Fraction(1000, 4184), 0)}),
        low=0,
        high=3_000,
        scale=10,
        is_series=True,
        is_interval=True,
        is_cumulative=True,
    ),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
BY_NUMBER: Final[dict[int, Kind]] = {kind.number: kind for kind in _ALL}
# What `k` of a batch may say, and the stored kinds behind it.
BY_WIRE: Final[dict[str, tuple[Kind, ...]]] = {
    wire: tuple(kind for kind in _ALL if kind.wire == wire) for wire in {kind.wire: None for kind in _ALL}
}


def kind_of(name: str, ctx: str | None) -> Kind | None:
    """The stored kind of `k` and `ctx` of a batch; None where there is none, for want of a context too."""
    for kind in BY_WIRE.get(name, ()):
        if ctx in kind.contexts or (ctx is None and not kind.needs_context):
            return kind
    return None


def loinc_of(kind: Kind, source_kind: str | None) -> str | None:
    """The main code of a value; what a sensor says of glucose has one of its own."""
    return kind.loinc_also[0] if kind.wire == "glucose" and source_kind == "cgm" else kind.loinc


def stored(kind: Kind, value: float, unit: str, *, second: bool = False) -> int | Fault:
    """A value as it is kept, or why it is not. second: the diastolic value of a blood pressure."""
    how = kind.accepted.get(unit)
    if how is None:
        return "unit-unknown"
    number, bounds = scaled(how, value), kind.bounds2 if second else kind.bounds
    if number is None or bounds is None or not bounds[0] <= number <= bounds[1]:
        return "implausible"
    return number


def shown(kind: Kind, number: float, unit: str | None = None) -> float:
    """A kept value, or an average of such, in the canonical unit, or as it was sent: 93 mg/dL is 93 again."""
    if unit is None:
        return number / kind.scale
    return unscaled(kind.accepted[unit], round(number))


def compared(kind: Kind, number: int, unit: str) -> float:
    """The value that a limit in this unit is held against: glucose to whole mg/dL or 0.1 mmol/L, so that
    70 mg/dL is not below 3.9."""
    decimals = 1 if unit == "mmol/L" else None
    return unscaled(kind.accepted[unit], number, decimals)


def last_below(kind: Kind, limit: float, unit: str) -> int:
    """The highest kept value that counts as below a limit."""
    number = _near(kind, limit, unit) + 1
    while compared(kind, number, unit) < limit:
        number += 1
    while compared(kind, number, unit) >= limit:
        number -= 1
    return number


def first_above(kind: Kind, limit: float, unit: str) -> int:
    """The lowest kept value that counts as above a limit."""
    number = _near(kind, limit, unit) - 1
    while compared(kind, number, unit) > limit:
        number -= 1
    while compared(kind, number, unit) <= limit:
        number += 1
    return number


def _near(kind: Kind, limit: float, unit: str) -> int:
    number = scaled(kind.accepted[unit], limit)
    assert number is not None, "a limit is a number"
    return number
