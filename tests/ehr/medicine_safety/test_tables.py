"""Tables are loaded whole or not at all, and a version stands for one content."""

import pytest

from ehr.medicine_safety.tables import FIELD_MAX, BadTableError, load_table, read_table
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.medicines import NAMES, PAIRS


def test_both_kinds_are_told_by_their_first_line() -> None:
    assert read_table(PAIRS.encode()).kind == "pairs"
    assert read_table(b"\xef\xbb\xbf" + NAMES.replace(",", ";").encode()).kind == "names"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "first line"),
        (PAIRS.partition("\n")[0], "1 to"),
        (PAIRS.replace("major", "mild"), "line 2"),
        (PAIRS.replace("Betazin", "ALPHAZIN"), "line 2"),
        (PAIRS.replace("Gammazin", "Betazin"), "line 3: stands there twice"),
        (PAIRS.replace("Câu giữ chỗ khác", " "), "line 3"),
        (PAIRS.replace("Another placeholder", "x" * (FIELD_MAX + 1)), "line 3"),
        (PAIRS.replace("stand-in 1\nGamma", "stand-in 2\nGamma"), "one version"),
        (PAIRS + "one,two\n", "line 4"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(BadTableError, match=told):
        read_table(text.encode())


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(BadTableError, match="UTF-8"):
        read_table(PAIRS.encode("utf-16"))


async def test_a_version_stands_for_one_content(fresh_store: Store, clock: FrozenClock) -> None:
    file = read_table(PAIRS.encode())
    async with fresh_store.transaction() as tx:
        assert await load_table(tx, file, clock.now())
        assert not await load_table(tx, file, clock.now())
        with pytest.raises(BadTableError, match="another content"):
            await load_table(tx, read_table(PAIRS.replace("major", "minor").encode()), clock.now())
