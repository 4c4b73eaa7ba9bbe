"""The checker of histories finds what it is there to find."""

from uuid import UUID

import pytest

from tests.support.history import Change, History, Kind, Look

PAIR = (UUID(int=1), UUID(int=2))
FIRST, SECOND = UUID(int=3), UUID(int=4)


def change(kind: Kind, began: float, ended: float, types: str = "", grant: UUID | None = FIRST) -> Change:
    return Change(kind=kind, pair=PAIR, grant=grant, types=frozenset(types), began=began, ended=ended)


def verdict(changes: list[Change], *, saw: bool, at: tuple[float, float], type_: str = "A") -> list[str]:
    look = Look(pair=PAIR, type_=type_, saw=saw, began=at[0], ended=at[1], request_id="")
    return [line.partition(":")[0] for line in History(changes, [look]).violations()]


@pytest.mark.parametrize(
    "end",
    [
        change("end", 3, 4),
        change("end", 3, 4, grant=None),
        change("narrow", 3, 4, "B"),
        change("approve", 3, 4, "B", grant=SECOND),
    ],
)
def test_a_read_that_begins_after_an_acknowledged_end_is_found(end: Change) -> None:
    approved = change("approve", 1, 2, "A")
    assert verdict([approved, end], saw=True, at=(5, 6)) == ["read after its end"]
    assert verdict([approved, end], saw=False, at=(5, 6)) == []
    # While the end is on its way both are right.
    assert verdict([approved, end], saw=True, at=(3.5, 6)) == []
    assert verdict([approved, end], saw=False, at=(3.5, 6)) == []


def test_a_refusal_under_a_grant_that_nothing_ended_is_found() -> None:
    approved = change("approve", 1, 2, "A")
    assert verdict([approved], saw=False, at=(3, 4)) == ["refused although granted"]
    assert verdict([approved], saw=False, at=(3, 4), type_="B") == []
    assert verdict([approved, change("narrow", 2, 3, "A")], saw=False, at=(4, 5)) == [
        "refused although granted"
    ]


def test_a_read_of_what_was_never_agreed_to_is_found() -> None:
    assert verdict([], saw=True, at=(1, 2)) == ["read after its end"]
    assert verdict([change("approve", 1, 2, "B")], saw=True, at=(3, 4)) == ["read after its end"]


def test_taking_an_older_grant_back_proves_nothing_of_a_newer_one() -> None:
    changes = [change("approve", 1, 2, "A", grant=SECOND), change("end", 3, 4, grant=FIRST)]
    assert verdict(changes, saw=True, at=(5, 6)) == []
    assert verdict(changes, saw=False, at=(5, 6)) == []
