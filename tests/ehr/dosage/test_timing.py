"""FHIR R4 Dosage timing comes to the same plan as a text, and what can't be followed is asked."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ehr.dosage.grammar import read_dose
from ehr.dosage.instruction import dosage_instruction
from ehr.dosage.models import Dose
from ehr.dosage.timing import dose_of


def read(*dosages: dict[str, Any]) -> Dose:
    return dose_of(list(dosages))


def every(**repeat: Any) -> dict[str, Any]:
    return {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "Viên"}}]}


def test_frequency_and_period_are_times_a_day_or_every_so_many_days() -> None:
    twice = read(every(frequency=2, period=1, periodUnit="d", boundsDuration={"value": 5, "code": "d"}))
    assert (twice.times, twice.every_days, twice.days, twice.per, twice.unit) == (2, None, 5, 1, "viên")
    other = read(every(frequency=1, period=2, periodUnit="d"))
    assert (other.times, other.every_days) == (1, 2)
    assert read(every(frequency=1, period=8, periodUnit="h")).interval_hours == 8
    weekly = read(every(frequency=1, period=1, periodUnit="wk", boundsDuration={"value": 4, "unit": "wk"}))
    assert (weekly.times, weekly.every_days, weekly.days) == (1, 7, 28)
    named = read(every(frequency=3, period=1, periodUnit="wk", dayOfWeek=["fri", "mon", "wed"]))
    assert (named.weekdays, named.times, named.is_irregular) == ((1, 3, 5), 1, False)


def test_parts_of_the_day_meals_and_clock_times() -> None:
    meals = read(every(frequency=2, period=1, periodUnit="d", when=["PCM", "PCV"]))
    assert ([slot.slot for slot in meals.slots], meals.meal) == (["morning", "evening"], "after")
    assert [slot.slot for slot in read(every(when=["HS"])).slots] == ["night"]
    clock = read(every(timeOfDay=["20:00:00", "08:00:00"]))
    assert [f"{at:%H:%M}" for at in clock.clock] == ["08:00", "20:00"]
    dated = read(
        every(
            frequency=1, period=1, periodUnit="d", boundsPeriod={"start": "2026-03-01", "end": "2026-03-07"}
        )
    )
    assert dated.days == 7


def test_codes_of_timing() -> None:
    def coded(code: str) -> Dose:
        return read({"timing": {"code": {"coding": [{"code": code}]}}})

    assert coded("BID").times == 2
    assert (coded("QOD").times, coded("QOD").every_days) == (1, 2)
    assert coded("Q8H").interval_hours == 8
    assert coded("BED").slots[0].slot == "night"


def test_as_needed_has_no_schedule() -> None:
    assert read({"asNeededBoolean": True} | every(frequency=2, period=1, periodUnit="d")).as_needed
    assert read({"asNeededCodeableConcept": {"text": "đau"}}).as_needed


def test_stages_follow_each_other_by_their_sequence() -> None:
    def stage(number: int, frequency: int, **bounds: Any) -> dict[str, Any]:
        return {"sequence": number} | every(frequency=frequency, period=1, periodUnit="d", **bounds)

    dose = read(stage(2, 1), stage(1, 2, boundsDuration={"value": 3, "code": "d"}))
    assert [(one.days, one.dose.times) for one in dose.stages] == [(3, 2), (None, 1)]


@pytest.mark.parametrize(
    "dosage",
    [
        every(frequency=2, frequencyMax=3, period=1, periodUnit="d"),
        every(frequency=1, period=4, periodMax=6, periodUnit="h"),
        every(frequency=1, period=1, periodUnit="mo"),
        every(frequency=2, period=3, periodUnit="d"),
        every(frequency=1, period=Decimal("0.5"), periodUnit="d"),
        every(frequency=1, period=1, periodUnit="d", when=["PHS"]),
        every(frequency=1, period=1, periodUnit="d", count=10),
        every(when=["ACM"], offset=120),
        {"timing": {"event": ["2026-03-02"]}},
        every(frequency=1, period=1, periodUnit="d") | {"modifierExtension": [{"url": "x"}]},
        every(frequency=3),
        every(frequency=1, periodUnit="wk", when=["MORN"]),
        every(frequency=Decimal("1.5"), period=1, periodUnit="d"),
        every(frequency=1, period=10**9, periodUnit="h"),
        every(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 3, "code": "mo"}),
        every(frequency=1, period=1, periodUnit="d", boundsPeriod={"end": "2026-11-30"}),
        every(frequency=4, period=1, periodUnit="d") | {"maxDosePerPeriod": {"numerator": {"value": 4}}},
        {"timing": {"code": {"text": "mỗi tuần"}, "repeat": {"when": ["MORN"]}}},
        {
            "timing": {
                "code": {"coding": [{"code": "QOD"}]},
                "repeat": {"frequency": 1, "period": 1, "periodUnit": "d"},
            }
        },
        {"doseAndRate": [{"doseRange": {"low": {"value": 1}, "high": {"value": 2}}}]},
        {"doseAndRate": [{"doseQuantity": {"value": 0}}]},
    ],
)
def test_what_cannot_be_followed_is_never_read_as_daily(dosage: dict[str, Any]) -> None:
    assert read(dosage).is_irregular


def test_a_text_and_a_structure_complete_each_other() -> None:
    structure = every(frequency=2, period=1, periodUnit="d", boundsDuration={"value": 5, "code": "d"})
    both = read({"text": "Uống 1 viên x 2 lần/ngày sau ăn"} | structure)
    assert (both.times, both.days, both.meal, both.is_irregular) == (2, 5, "after", False)
    silent = read({"text": "Theo chỉ dẫn của bác sĩ"} | structure)
    assert (silent.times, silent.per, silent.is_irregular) == (2, 1, False)
    assert read({"text": "Theo chỉ dẫn"}).times is None


WEEKLY = every(frequency=1, period=1, periodUnit="wk")
DAILY = every(frequency=1, period=1, periodUnit="d")


@pytest.mark.parametrize(
    "dosage",
    [
        {"text": "Take one tablet daily"} | DAILY,
        {"text": "Uống 1 viên x 2 lần/ngày"} | DAILY,
        {"text": "Sáng 1 viên, mỗi 3 ngày"} | DAILY,
        {"text": "Uống 1 viên khi đau"} | DAILY,
        {"text": "Uống sáng 2 viên"} | DAILY,
        {"text": "Uống sáng 1 viên"} | WEEKLY,
        {"text": "1 viên/lần x 1 lần/ngày"}
        | every(frequency=1, period=1, periodUnit="wk", dayOfWeek=["sat"]),
        {"text": "Uống sáng 1 viên"} | every(frequency=1, period=2, periodUnit="d"),
        {"text": "Uống sáng 1 viên"} | every(frequency=1, period=1, periodUnit="mo"),
        {"text": "Uống sáng 1 viên"} | every(frequency=1, period=1, periodUnit="d", count=1),
        {"text": "Uống sáng 1 viên", "asNeededBoolean": True},
        {"text": "Uống 1 viên x 1 lần/ngày", "asNeededBoolean": True} | DAILY,
        {"text": "Uống sáng 1 viên", "timing": {"event": ["2026-12-01"]}},
        {"text": "Uống sáng 1 viên", "modifierExtension": [{"url": "x"}]},
        {"text": "Uống vào thứ 2"} | DAILY,
        {"text": "Uống sáng 1 viên trong 3 ngày"}
        | every(frequency=1, period=1, periodUnit="d", boundsDuration={"value": 5, "code": "d"}),
    ],
)
def test_neither_a_text_nor_a_structure_overrules_the_other(dosage: dict[str, Any]) -> None:
    assert read(dosage).is_irregular


@pytest.mark.parametrize(
    "text",
    [
        "2 viên/lần * 2 lần/ngày * 5 ngày [4 viên/ngày]",
        "Sáng: 3 viên, Chiều: 2 viên, Tối: 1 viên [6 viên/ngày]",
        "Uống 1 viên cách ngày buổi sáng",
        "Uống 1 viên sáng thứ 2, 4, 6",
        "Uống 1 viên lúc 8 giờ và 20 giờ",
        "Uống 1 viên mỗi 8 giờ",
    ],
)
def test_what_we_write_as_fhir_reads_back_as_the_same_without_its_text(text: str) -> None:
    written = msgspec.json.decode(msgspec.json.encode(dosage_instruction(text, "", "2026-03-02", {})))
    for dosage in written:
        del dosage["text"]
    dose, said = dose_of(written), read_dose(text)
    for name in ("every_days", "weekdays", "clock", "interval_hours", "days"):
        assert getattr(dose, name) == getattr(said, name), name
    assert [slot.slot for slot in dose.slots] == [slot.slot for slot in said.slots]
    assert (dose.times or len(dose.slots)) == (
        said.times or len(said.slots) or (1 if said.weekdays else 0)
    ) or dose.clock
    assert not dose.is_irregular


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["frequency", "period", "periodUnit", "when", "dayOfWeek", "timeOfDay", "boundsPeriod"]
        ),
        _JSON,
    )
)
def test_no_structure_breaks_it(repeat: dict[str, Any]) -> None:
    dose_of([{"timing": {"repeat": repeat}}])
