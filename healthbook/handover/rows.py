"""Which rows are handed over, and in what words: sealed cells opened, what only opened doors left out."""

import re
from collections.abc import Mapping
from typing import Any, Final

from store.fields import FieldSealError, unseal
from store.keys import KeyRing
from store.person_tables import TABLES, PersonTable
from store.sealed_columns import COLUMNS, SealedColumn

# Tables of nobody that end with the service.
WORK: Final = {
    "attempt_budget": "counted tries",
    "due_queue": "timers of the program",
    "outbox": "events of the program, on their way",
    "work_lease": "who works at what",
    "phone_code_lock": "lives for minutes",
    "step_up_use": "lives for minutes",
    "idempotency_key": "lives for a day",
}
_SKIPPED: Final = (
    "a keyed hash that leads from a number or code to the person",
    "lives for minutes and says nothing of its own",
    "how far the program's own work is",
)
# What a name, number or text leads to is handed over; what opens a door of this installation dies with it.
_DOOR: Final = re.compile(r"(^|_)(hash|secret|token|pepper|pin|password|passcode)(_|$)")
_KEYS: Final = {
    ("device", "hotp_secret"),
    ("account_credential", "totp_secret"),
    ("share_link", "key_sealed"),
    ("emergency_card", "secret_sealed"),
}
# Where a hash is a proof, or what the receiver goes on to refuse, and opens nothing.
_PROOFS: Final = ("audit_", "access_log", "admin_", "signing_", "certificate_revocation", "partner_message")
_SEALED: Final[dict[tuple[str, str], SealedColumn]] = {(one.table, one.column): one for one in COLUMNS}
_PERSON_TABLES: Final = {one.table for one in TABLES}


def of_people() -> list[PersonTable]:
    """By which column a table's rows stand in their person's archive: each row in one archive, so that all of
    them can be counted."""
    first: dict[str, PersonTable] = {}
    for one in TABLES:
        if not one.cleared and one.unseen not in _SKIPPED:
            first.setdefault(one.table, one)
    return list(first.values())


def of_nobody(tables: list[str]) -> list[str]:
    """The tables that are handed over whole."""
    return [name for name in tables if name not in _PERSON_TABLES and name not in WORK]


def left_out(tables: list[str], columns: list[str]) -> dict[str, str]:
    """What is not handed over, and why: tables, and of the others columns (`TABLE.COLUMN`)."""
    handed = {one.table for one in of_people()}
    by_person = {
        one.table: one.unseen or "rows of another person" for one in TABLES if one.table not in handed
    }
    skipped = {**by_person, **{name: why for name, why in WORK.items() if name in tables}}
    places = [(table, column) for table, column in map(_split, columns) if table not in skipped]
    doors = [f"{table}.{column}" for table, column in places if _is_door(table, column)]
    return skipped | dict.fromkeys(doors, "opens a door of this installation")


def clear_row(keys: KeyRing, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is handed over. A cell that does not open says so: it did not open here either."""
    said: dict[str, Any] = {}
    for column, value in row.items():
        sealed = _SEALED.get((table, column))
        if _is_door(table, column):
            continue
        if sealed is not None and value is not None:
            said[column] = _opened(keys, sealed, row, value)
        else:
            said[column] = value.hex() if isinstance(value, bytes) else value
    return said


def _split(name: str) -> tuple[str, str]:
    table, _, column = name.partition(".")
    return table, column


def _is_door(table: str, column: str) -> bool:
    if (table, column) in _KEYS or (table, column) in _SEALED:
        return (table, column) in _KEYS
    return not table.startswith(_PROOFS) and bool(_DOOR.search(column))


def _opened(keys: KeyRing, sealed: SealedColumn, row: Mapping[str, Any], value: bytes) -> Any:
    try:
        return unseal(keys, row[sealed.owner], *sealed.bound_to, value)
    except FieldSealError:
        return {"unreadable": True}
