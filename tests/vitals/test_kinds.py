"""The table of kinds: every row at its borders, every unit that is taken, and whole numbers half-even."""

from fractions import Fraction

import pytest

from vitals.kinds import (
    BY_NUMBER,
    BY_WIRE,
    CTX_NUMBERS,
    KINDS,
    UNIT_NUMBERS,
    compared,
    first_above,
    kind_of,
    last_below,
    shown,
    stored,
)
from vitals.units import scaled

# name → LOINC, canonical unit, scale, lowest, highest, series (vitals.md, Kinds and units).
TABLE: dict[str, tuple[str | None, str, int, float, float, bool]] = {
    "heart-rate": ("8867-4", "/min", 10, 20, 250, True),
    "resting-hr": ("40443-4", "/min", 10, 20, 200, False),
    "hrv-sdnn": ("80404-7", "ms", 10, 1, 500, True),
    "hrv-rmssd": (None, "ms", 10, 1, 500, True),
    "spo2": ("59408-5", "%", 10, 50, 100, True),
    "resp-rate": ("9279-1", "/min", 10, 3, 70, True),
    "temperature": ("8310-5", "Cel", 100, 30, 44, True),
    "temperature-wrist": ("8310-5", "Cel", 100, 30, 44, True),
    "blood-pressure": ("85354-9", "mm[Hg]", 10, 50, 280, False),
    "glucose": ("14743-9", "mmol/L", 100, 0.6, 55, True),
    "weight": ("29463-7", "kg", 1000, 0.3, 400, False),
    "height": ("8302-2", "cm", 10, 20, 260, False),
    "steps": ("55423-8", "{steps}", 1, 0, 30_000, True),
    "sleep-in-bed": (None, "min", 10, 0, 1440, False),
    "sleep-asleep": ("93832-4", "min", 10, 0, 1440, False),
    "sleep-light": ("93830-8", "min", 10, 0, 1440, False),
    "sleep-deep": ("93831-6", "min", 10, 0, 1440, False),
    "sleep-rem": ("93829-0", "min", 10, 0, 1440, False),
    "sleep-awake": (None, "min", 10, 0, 1440, False),
    "active-energy": ("41981-2", "kcal", 10, 0, 3000, True),
}
# kind, unit → a value as it is sent and the number that is kept.
UNITS: dict[tuple[str, str], tuple[float, int]] = {
    ("heart-rate", "/min"): (71.5, 715),
    ("heart-rate", "count/min"): (60, 600),
    ("heart-rate", "bpm"): (60.04, 600),
    ("resting-hr", "/min"): (55, 550),
    ("resting-hr", "count/min"): (55, 550),
    ("resting-hr", "bpm"): (55, 550),
    ("hrv-sdnn", "ms"): (42.3, 423),
    ("hrv-sdnn", "s"): (0.0423, 423),
    ("hrv-rmssd", "ms"): (42.3, 423),
    ("hrv-rmssd", "s"): (0.0423, 423),
    ("spo2", "%"): (97, 970),
    ("spo2", "1"): (0.975, 975),
    ("resp-rate", "/min"): (14, 140),
    ("resp-rate", "count/min"): (14, 140),
    ("temperature", "Cel"): (38.5, 3850),
    ("temperature", "[degF]"): (101.3, 3850),
    ("temperature-wrist", "Cel"): (33.25, 3325),
    ("temperature-wrist", "[degF]"): (95, 3500),
    ("blood-pressure", "mm[Hg]"): (142, 1420),
    ("blood-pressure", "mmHg"): (142, 1420),
    ("blood-pressure", "kPa"): (16, 1200),
    ("glucose", "mmol/L"): (5.55, 555),
    ("glucose", "mg/dL"): (93, 516),
    ("weight", "kg"): (68.25, 68250),
    ("weight", "g"): (3250, 3250),
    ("weight", "[lb_av]"): (150, 68039),
    ("height", "cm"): (171.5, 1715),
    ("height", "m"): (1.715, 1715),
    ("height", "[in_i]"): (67.5, 1714),
    ("steps", "{steps}"): (431, 431),
    ("steps", "1"): (431, 431),
    ("steps", "count"): (431, 431),
    ("active-energy", "kcal"): (251.4, 2514),
    ("active-energy", "Cal"): (251.4, 2514),
    ("active-energy", "kJ"): (1051.9, 2514),
} | {
    (f"sleep-{stage}", unit): (value, 4500)
    for stage in ("in-bed", "asleep", "light", "deep", "rem", "awake")
    for unit, value in (("min", 450.0), ("h", 7.5), ("s", 27_000.0))
}


def test_the_table_is_the_one_of_the_design() -> None:
    found = {
        kind.name: (kind.loinc, kind.unit, kind.scale, kind.low, kind.high, kind.is_series)
        for kind in KINDS.values()
    }
    assert found == TABLE
    assert (KINDS["blood-pressure"].low2, KINDS["blood-pressure"].high2) == (20, 200)
    assert {kind.name for kind in KINDS.values() if kind.is_cumulative} == {"steps", "active-energy"}
    assert {kind.wire for kind in KINDS.values() if kind.is_interval} == {"steps", "active-energy", "sleep"}


@pytest.mark.parametrize("name", KINDS)
def test_a_row_takes_its_borders_and_nothing_beyond(name: str) -> None:
    kind = KINDS[name]
    step = 1 / kind.scale
    assert stored(kind, kind.low, kind.unit) == round(kind.low * kind.scale)
    assert stored(kind, kind.high, kind.unit) == round(kind.high * kind.scale)
    assert stored(kind, kind.low - step, kind.unit) == "implausible"
    assert stored(kind, kind.high + step, kind.unit) == "implausible"
    assert stored(kind, kind.high, "furlong") == "unit-unknown"
    for nothing in (float("nan"), float("inf"), float("-inf"), 1e300):
        assert stored(kind, nothing, kind.unit) == "implausible"


def test_diastolic_pressure_has_borders_of_its_own() -> None:
    kind = KINDS["blood-pressure"]
    assert [stored(kind, value, "mmHg", second=True) for value in (19.9, 20, 200, 200.1)] == [
        "implausible",
        200,
        2000,
        "implausible",
    ]
    assert stored(KINDS["spo2"], 97, "%", second=True) == "implausible"


def test_a_probe_that_fell_off_is_no_reading() -> None:
    assert stored(KINDS["spo2"], 0, "%") == "implausible"
    assert stored(KINDS["heart-rate"], 0, "bpm") == "implausible"


def test_every_unit_of_every_kind_is_converted() -> None:
    assert set(UNITS) == {(kind.name, unit) for kind in KINDS.values() for unit in kind.accepted}
    found = {key: stored(KINDS[key[0]], value, key[1]) for key, (value, _) in UNITS.items()}
    assert found == {key: kept for key, (_, kept) in UNITS.items()}


@pytest.mark.parametrize(("name", "unit"), UNITS)
def test_a_value_is_shown_as_it_was_sent(name: str, unit: str) -> None:
    sent, kept = UNITS[name, unit]
    how = KINDS[name].accepted[unit]
    assert shown(KINDS[name], kept, unit) == pytest.approx(sent, abs=0.06 if how.decimals else 0.6)


def test_whole_mg_per_dl_and_what_people_type_come_back_exactly() -> None:
    glucose, body = KINDS["glucose"], KINDS["temperature"]
    for value in range(11, 991):
        kept = stored(glucose, value, "mg/dL")
        assert isinstance(kept, int)
        assert shown(glucose, kept, "mg/dL") == value
    for tenths in range(860, 1112):
        kept = stored(body, tenths / 10, "[degF]")
        assert isinstance(kept, int)
        assert shown(body, kept, "[degF]") == tenths / 10


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("glucose", 5.625, 562),
        ("glucose", 5.635, 564),
        # 1.005 × 100 is 100.49999999999999 as a float; half-even of what was written is 100.
        ("glucose", 1.005, 100),
        ("glucose", 2.675, 268),
        ("glucose", 1.115, 112),
        ("heart-rate", 70.25, 702),
        ("heart-rate", 70.35, 704),
        ("weight", 70.0005, 70_000),
        ("weight", 70.0015, 70_002),
    ],
)
def test_a_half_goes_to_the_even_number_of_what_was_written(name: str, sent: float, kept: int) -> None:
    assert stored(KINDS[name], sent, KINDS[name].unit) == kept


def test_the_quick_way_to_a_number_is_the_exact_one() -> None:
    for kind in KINDS.values():
        for how in kind.accepted.values():
            for thousandths in range(1, 60_000, 7_919):
                value = thousandths / 1000 * float(kind.high / (how.times / kind.scale)) / 60
                exact = (Fraction(repr(value)) + how.add) * how.times
                assert scaled(how, value) == round(exact)


def test_series_fit_two_bytes_and_numbers_are_never_shared() -> None:
    assert all(kind.bounds[1] <= 32_767 for kind in KINDS.values() if kind.is_series)
    assert len(BY_NUMBER) == len(KINDS)
    assert sorted(BY_NUMBER) == list(range(1, 21))
    for numbers in (UNIT_NUMBERS, CTX_NUMBERS):
        assert len(set(numbers.values())) == len(numbers)
    assert {unit for kind in KINDS.values() for unit in kind.accepted} == set(UNIT_NUMBERS)
    assert {ctx for kind in KINDS.values() for ctx in kind.contexts} == set(CTX_NUMBERS)


def test_a_context_that_changes_the_meaning_is_a_kind_of_its_own() -> None:
    def name(wire: str, ctx: str | None) -> str | None:
        kind = kind_of(wire, ctx)
        return kind.name if kind else None

    assert name("hrv", "sdnn") == "hrv-sdnn"
    assert name("hrv", "rmssd") == "hrv-rmssd"
    assert name("hrv", None) is None
    assert name("temperature", None) == name("temperature", "oral") == "temperature"
    assert name("temperature", "wrist") == "temperature-wrist"
    assert name("sleep", "deep") == "sleep-deep"
    assert name("sleep", None) is None
    assert name("glucose", "fasting") == name("glucose", None) == "glucose"
    assert name("glucose", "wrist") is None
    assert name("mood", None) is None
    assert {kind.name for kind in BY_WIRE["sleep"]} == {name for name in KINDS if name.startswith("sleep-")}


def test_glucose_is_held_against_a_limit_in_the_limits_own_unit() -> None:
    """70 mg/dL is 3.885 mmol/L and must not count as below 3.9."""
    glucose = KINDS["glucose"]
    seventy, sixty_nine = stored(glucose, 70, "mg/dL"), stored(glucose, 69, "mg/dL")
    assert isinstance(seventy, int)
    assert isinstance(sixty_nine, int)
    assert compared(glucose, seventy, "mmol/L") == 3.9
    assert compared(glucose, seventy, "mg/dL") == 70
    for limit, unit in ((3.9, "mmol/L"), (70, "mg/dL")):
        assert sixty_nine <= last_below(glucose, limit, unit) < seventy
    high, too_high = stored(glucose, 250, "mg/dL"), stored(glucose, 252, "mg/dL")
    assert isinstance(high, int)
    assert isinstance(too_high, int)
    for limit, unit in ((13.9, "mmol/L"), (250, "mg/dL")):
        assert high < first_above(glucose, limit, unit) <= too_high


@pytest.mark.parametrize("name", KINDS)
def test_the_last_number_below_a_limit_is_below_it_and_the_next_is_not(name: str) -> None:
    kind = KINDS[name]
    for unit in kind.accepted:
        limit = shown(kind, sum(kind.bounds) // 2, unit)
        below, above = last_below(kind, limit, unit), first_above(kind, limit, unit)
        assert compared(kind, below, unit) < limit <= compared(kind, below + 1, unit)
        assert compared(kind, above - 1, unit) <= limit < compared(kind, above, unit)
