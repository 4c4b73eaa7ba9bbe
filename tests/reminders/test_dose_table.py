"""Every sample of the dose texts, and hundreds of wordings of our own, with the plan or question each makes.

`wordings.txt`: one text a line, `=>`, what it comes to where 28 tablets were handed out. `advices.txt`:
LIEU_DUNG, `|`, CACH_DUNG. A line is a way of writing that the grammar is meant to read or to refuse: a
change of the grammar shows here.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from ehr.dosage.grammar import read_dose
from reminders.models import Phase, Plan
from reminders.policy import plan_of
from reminders.texts import WHY_VI
from tests.support.shared import shared

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def table(name: str) -> list[list[str]]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [line.split("  =>  ") for line in lines]


WORDINGS: Final = table("wordings.txt")
ADVICES: Final = table("advices.txt")
# LIEU_DUNG and CACH_DUNG of each sample in its order, and what it comes to for 100 of its unit.
SAMPLES: Final = [
    "07:00 20:00 x10",
    "07:00 17:00 20:00 x49",
    "? no-frequency",
    "07:00 x3",
    "07:00 20:00 x70",
    "07:00 19:00 x10",
    "07:00 x100",
    "07:30 20:30 ? no-end",
    "as needed",
    "07:00 20:00 x2",
]


def clock(phase: Phase) -> str:
    length = f"{phase.days}d " if phase.days else ""
    days = f"every {phase.every_days} days " if phase.every_days > 1 else ""
    amounts = f" of {' '.join(phase.amounts)}" if phase.amounts else ""
    return f"{length}{days}{' '.join(f'{at:%H:%M}' for at in phase.times)}{amounts}"


def told(made: Plan) -> str:
    """A plan in a line: days, times, `x` how many doses, `?` why it asks, `!` what does not agree."""
    if made.state == "as-needed":
        return "as needed"
    days = [f"every {made.every_days} days"] if made.every_days > 1 else []
    days += [DAYS[day - 1] for day in made.weekdays]
    times = [f"{at:%H:%M}" for at in made.times]
    if made.phases:
        times = [" > ".join(map(clock, made.phases))]
    if made.interval_hours:
        times = [f"every {made.interval_hours} h"]
    end = [f"x{made.doses}"] if made.doses is not None else []
    asks = [f"? {made.why}"] if made.state == "asks" else []
    return " ".join([*days, *times, *end, *asks, *(f"!{check}" for check in made.checks)])


def test_every_sample_comes_to_its_plan_or_its_question() -> None:
    lines = shared("data/vietnam/lieu_dung.jsonl").read_text("utf-8").splitlines()
    found = []
    for case in map(json.loads, lines):
        dose = read_dose(case["LIEU_DUNG"], case["CACH_DUNG"])
        found.append(told(plan_of(dose, ordered=None, dispensed=Decimal(100), unit=dose.unit or "viên")))
    assert found == SAMPLES


@pytest.mark.parametrize(("text", "expected"), WORDINGS, ids=[text for text, _ in WORDINGS])
def test_every_wording_comes_to_its_plan_or_its_question(text: str, expected: str) -> None:
    made = plan_of(read_dose(text), ordered=None, dispensed=Decimal(28), unit="viên")
    assert told(made) == expected
    # A question always has its reason, and the reason has words for the person.
    assert (made.state == "asks") == (made.why is not None)
    if made.why is not None:
        assert WHY_VI[made.why]


@pytest.mark.parametrize(("texts", "expected"), ADVICES, ids=[texts for texts, _ in ADVICES])
def test_advice_completes_or_is_asked_about(texts: str, expected: str) -> None:
    dose, advice = texts.split(" | ")
    made = plan_of(read_dose(dose, advice), ordered=None, dispensed=Decimal(28), unit="viên")
    assert told(made) == expected


def test_the_table_is_long_enough_and_says_each_text_once() -> None:
    assert len(WORDINGS) >= 150
    assert len({text for text, _ in WORDINGS}) == len(WORDINGS)
    reasons = {expected.split("? ")[1].split(" ")[0] for _, expected in WORDINGS if "? " in expected}
    assert reasons == set(WHY_VI)


def test_the_advice_completes_the_dose_and_what_contradicts_is_asked() -> None:
    def plan(dose: str, advice: str) -> str:
        return told(plan_of(read_dose(dose, advice), ordered=None, dispensed=Decimal(28), unit="viên"))

    assert plan("1 viên/lần", "ngày 2 lần sau ăn") == "07:30 20:30 x28"
    assert plan("1 viên/lần * 1 lần/ngày * 7 ngày", "uống trước khi đi ngủ") == "21:30 x7"
    assert plan("1 viên/lần * 2 lần/ngày * 7 ngày", "uống lúc 8h và 20h") == "08:00 20:00 x14"
    assert plan("1 viên/lần * 2 lần/ngày * 7 ngày", "uống cách ngày") == "? unread"
    assert plan("1 viên/lần * 2 lần/ngày * 7 ngày", "3 ngày đầu 2 viên, sau đó 1 viên") == "? unread"
    assert plan("", "Uống 1 viên sáng thứ 2, 4, 6") == "Mon Wed Fri 07:00 x28"
