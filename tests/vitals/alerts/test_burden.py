"""How often the machine speaks on real data, and that docs/vitals.md says what was measured."""

import re
from pathlib import Path

import pytest

from bench import vital_burden, vital_traces
from bench.vital_burden import Burden
from tests.support.shared import shared

DOC = Path(__file__).resolve().parents[3] / "docs" / "vitals.md"


@pytest.fixture(scope="module")
def rows() -> list[Burden]:
    return vital_burden.measured(shared("data/vitals"))


def test_an_intensive_care_trace_makes_at_most_one_alert_a_sign(rows: list[Burden]) -> None:
    signs = [one for one in rows if one.name.startswith("ICU")]
    assert len(signs) == 3
    assert all(one.alerts <= 1 for one in signs), signs
    assert all(one.readings > 1_500 for one in signs)


def test_probes_that_fell_off_never_reach_the_machine(rows: list[Burden]) -> None:
    oxygen = next(one for one in rows if "SpO2" in one.name)
    assert oxygen.gated == 363
    assert oxygen.alerts == 0


def test_thirteen_people_with_a_sensor_hear_it_less_than_every_second_day(rows: list[Burden]) -> None:
    sensors = next(one for one in rows if one.name.startswith("CGM"))
    assert sensors.readings > 25_000
    assert 0 < sensors.alerts / sensors.days <= 0.5
    assert sensors.alerts < sensors.entries < sensors.every


def test_the_document_shows_what_was_measured(rows: list[Burden]) -> None:
    said = re.sub(r"[ ]+", " ", DOC.read_text())
    assert vital_burden.table(rows) in said
    assert vital_traces.table() in said
