"""What the commands say while they work."""

from ehr.intake.models import UnitReport
from healthbook.commands import Progress

UNIT = UnitReport(unit="HOSO[1]", status="imported")


def test_an_import_tells_how_far_it_is_at_most_once_a_second() -> None:
    seconds = iter([0.0, 0.4, 1.2, 1.5, 2.3])
    said: list[str] = []
    progress = Progress(said.append, lambda: next(seconds))
    for _ in range(4):
        progress("a.xml", UNIT)
    assert said == ["2 units, now in a.xml", "4 units, now in a.xml"]
