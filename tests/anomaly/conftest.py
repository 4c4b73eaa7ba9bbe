"""Fixtures of the fault drills, and their table at the end of a run."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.anomaly.drill import Row, row_of, table
from tests.anomaly.installation import Installation, running

_PROPERTY = "drill"


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Put a drill's row into the table; fails where something acknowledged is lost or an answer was wrong."""

    def add(row: Row) -> None:
        request.node.user_properties.append((_PROPERTY, row.as_text()))
        assert (row.lost, row.wrong) == (0, 0), row
        assert row.acknowledged > 0, row

    return add


@pytest.fixture
async def installation(place: Path) -> AsyncIterator[Installation]:
    """The service with two API processes and a worker over a PostgreSQL that the drill can end."""
    async with running(place) as one:
        yield one


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    texts = [text for one in reports for name, text in one.user_properties if name == _PROPERTY]
    if texts:
        terminalreporter.section("fault drills")
        for line in table([row_of(str(text)) for text in dict.fromkeys(texts)]):
            terminalreporter.write_line(line)
