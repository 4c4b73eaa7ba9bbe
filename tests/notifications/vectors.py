"""The published vectors of push data; `python -m tests.notifications.vectors` writes them again."""

from typing import Any, Final, get_args

from notifications.models import NotificationType
from notifications.policy import SMS_ONLY
from tests.support import vectors
from tests.support.vectors import Case, taken

FILE: Final = vectors.PLACE / "push.json"
ID: Final = "019aa3f0-0000-7000-8000-000000000007"
PUSHED: Final = [type_ for type_ in get_args(NotificationType) if type_ not in SMS_ONLY]
REFRESH: Final = taken({"action": "refresh"})
ONE: Final = {"v": "1", "type": "check-in", "id": ID}


def shown(type_: str) -> Case:
    action = {"action": "show", "type": type_, "id": ID}
    return vectors.case(f"type {type_}", {"v": "1", "type": type_, "id": ID}, taken(action))


def cases() -> list[Case]:
    """action `show`: the type's constant words; `refresh`: ignore the push and fetch the inbox."""
    odd: list[tuple[str, Any]] = [
        ("unknown type", ONE | {"type": "of-next-year"}),
        ("unknown extra field", ONE | {"extra": "1"}),
        ("version 2", ONE | {"v": "2"}),
        ("version as a number", ONE | {"v": 1}),
        ("no version", {"type": "check-in", "id": ID}),
        ("no id", {"v": "1", "type": "check-in"}),
        ("an id that is none", ONE | {"id": "7"}),
        ("upper-cased type", ONE | {"type": "CHECK-IN"}),
        ("a type that comes by SMS alone", ONE | {"type": "sign-in-code"}),
        ("a name that every object has", ONE | {"type": "constructor"}),
        ("empty", {}),
    ]
    return [*(shown(type_) for type_ in PUSHED), *(vectors.case(name, data, REFRESH) for name, data in odd)]


def document() -> bytes:
    about = (
        "input: the data of a push. expect.ok.action: show (the type's constant words, then fetch the "
        "notice) or refresh (say nothing, ignore it and fetch the inbox)"
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
