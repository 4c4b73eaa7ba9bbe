"""docs/book.md is enough to write a file of rows: its tables name every column, its samples are taken in."""

import re
from pathlib import Path

import pytest

from ehr.health_checks.sessions import CHECK_COLUMNS
from ehr.programmes.names import END_VI, PROGRAMME_VI
from ehr.programmes.reports import COLUMNS
from ehr.rows.models import Column
from ehr.rows.person import PERSON_COLUMNS
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.health_checks import SESSION
from tests.support.http import bearer, client_of
from tests.support.people import make_doctor, make_facility

BOOK = (Path(__file__).parents[3] / "docs" / "book.md").read_text()
REPORTS = "/v1/facility/programmes/reports"
SAMPLES = re.findall(r"```csv\n(.*?)```", BOOK, re.DOTALL)


def table(heading: str) -> list[tuple[str, str, str]]:
    """The rows of the first table of columns after a heading."""
    _, _, text = BOOK.partition(heading)
    lines = text.partition("| name | title | |\n|---|---|---|\n")[2].splitlines()
    ended = next(n for n, line in enumerate(lines) if not line.startswith("|"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:ended]]
    return [(name.strip("`"), title, words) for name, title, words in cells]


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("\n## Health checks\n", (*PERSON_COLUMNS, *CHECK_COLUMNS)),
        ("\n### Columns of a report\n", COLUMNS),
    ],
)
def test_every_column_is_named_with_its_title(heading: str, columns: tuple[Column, ...]) -> None:
    told = table(heading)
    assert [(name, title) for name, title, _ in told] == [(one.name, one.title) for one in columns]
    required = {name for name, _, words in told if words.startswith("required")}
    assert required == {one.name for one in columns if one.is_required}


@pytest.mark.parametrize(
    ("column", "words"), [("programme", PROGRAMME_VI.values()), ("end_reason", END_VI.values())]
)
def test_the_words_of_a_report_are_those_it_takes(column: str, words: list[str]) -> None:
    (told,) = [text for name, _, text in table("\n### Columns of a report\n") if name == column]
    assert not [word for word in words if word not in told]


async def test_the_samples_are_taken_in_as_they_stand(store: Store, clock: FrozenClock) -> None:
    nurse = await make_doctor(store, clock, await make_facility(store, clock), "nurse")
    session, report = SAMPLES
    asked = (
        (SESSION, {"kind": "school", "form": "831-d"}, session),
        (REPORTS, {"frequency": "monthly", "reported_on": "2025-10-31"}, report),
    )
    async with client_of(store, clock) as client:
        for path, params, body in asked:
            headers = bearer(nurse.token) | {"Content-Type": "text/csv"}
            sent = await client.post(path, params=params, content=body.encode(), headers=headers)
            assert sent.status_code == 202, sent.text
            assert [one["status"] for one in sent.json()["rows"]] == ["accepted", "accepted"], sent.text
