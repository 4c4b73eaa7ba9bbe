"""What every fault drill reports, how long it loads the service, and the table that `make drill` prints.

A drill is a test with the mark `drill` that takes the fixture `report` and gives it one `Row`:

    @pytest.mark.drill
    async def test_postgres_killed(installation, report):
        async with crowd_at_work(installation) as crowd:
            ... the fault ...
            seconds = await crowd.recovered(healed_at)
        report(crowd.row("PostgreSQL killed and restarted", [seconds]))

`report` fails the test where something acknowledged is lost or an answer was wrong. Times are printed and
never asserted. CI runs each drill with the small counts, `make drill` with the large ones.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

LARGE: Final = os.environ.get("HEALTHBOOK_COUNTS") in ("drill", "full")
# How long a crowd works before the fault, within it, and after it.
BEFORE_SECONDS: Final = 3.0 if LARGE else 0.4
WITHIN_SECONDS: Final = 5.0 if LARGE else 0.5
AFTER_SECONDS: Final = 3.0 if LARGE else 0.4
# How often a fault comes that can come again.
TIMES: Final = 5 if LARGE else 1

_HEADINGS: Final = ("fault", "yes", "reads", "no", "lost", "wrong", "recovery s", "note")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One drill. acknowledged: writes that were answered with a yes; reads: answers that were compared;
    turned_away: answers 429 and 503 and connections without any; lost, wrong: must be 0; recovery: seconds
    from the end of each fault until everybody was served again; note: what else was measured."""

    fault: str
    acknowledged: int
    reads: int
    turned_away: int
    lost: int
    wrong: int
    recovery: Sequence[float] = ()
    note: str = ""

    def as_text(self) -> str:
        """For the way from a test's process to the one that prints."""
        return json.dumps(asdict(self))


def row_of(text: str) -> Row:
    """A row from its text."""
    return Row(**json.loads(text))


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of a table, one row a drill."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (row.acknowledged, row.reads, row.turned_away, row.lost, row.wrong)
    return (row.fault, *map(str, numbers), _span(row.recovery), row.note)


def _span(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}"
    return f"{min(seconds):.1f}-{max(seconds):.1f}"
