"""What the commands say while they work."""

import pytest

from ehr.intake.models import UnitReport
from healthbook import commands
from healthbook.commands import Progress

UNIT = UnitReport(unit="HOSO[1]", status="imported")


def test_an_import_tells_how_far_it_is_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 0.4, 1.2, 1.2, 1.5, 2.3, 2.3])
    monkeypatch.setattr(commands, "monotonic", lambda: next(seconds))
    said: list[str] = []
    progress = Progress(said.append)
    for _ in range(4):
        progress("a.xml", UNIT)
    assert said == ["2 units, now in a.xml", "4 units, now in a.xml"]
