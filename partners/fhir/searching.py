"""Search parameters read and compared (FHIR R4 §3.1.1), pure.

Every parameter narrows; one that is not offered is refused, since an answer that left it out would say more,
or seem to say that there is nothing else.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct

from ehr.dates import moment
from kernel.access import RecordType
from kernel.paging import PAGE_DEFAULT, PAGE_MAX
from kernel.problems import refuse
from partners.fhir.kinds import KINDS, PATIENT, Dates, Kind, Path
from partners.fhir.problems import FHIR_PARAMETER
from partners.smart.scopes import OBSERVATION, kind_of_category

PARAMETERS_MAX: Final = 30
# Of one name: both ends of a time.
_REPEATS_MAX: Final = 2
# Of all parameters of codes together: each is compared with each code of each document.
_VALUES_MAX: Final = 20
# Codes of one document that are compared: none that means anything has so many.
_LEAVES_MAX: Final = 1000
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,400}\Z")
_PREFIXED: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([0-9].{3,39})\Z")
_COUNT: Final = re.compile(r"[0-9]{1,6}\Z")
# What changes no answer: the form is always the same.
_FORMAT: Final = frozenset({"_format", "_pretty"})
_INSTANT: Final = timedelta(microseconds=1)


class Token(Struct, frozen=True):
    """One parameter of codes: any of them. wanted: system or None for any, "" for none; code or None for any.
    codes: the same without their systems, for elements that have none. kinds: our kinds of Observations that
    the category stands for."""

    path: Path
    wanted: frozenset[tuple[str | None, str | None]]
    codes: frozenset[str | None]
    kinds: frozenset[RecordType] = frozenset()


class Between(Struct, frozen=True):
    """One comparison of a time: FHIR's prefix, and the first instant of the value and of what follows it."""

    op: str
    lo: datetime
    hi: datetime


class Search(Struct, frozen=True):
    """ids: as the app knows them. person: whose the entries are to be, None where it was not said. there:
    elements of which one must be there. pairs: what was asked, for the links, without the place."""

    kind: Kind | None
    ids: tuple[str, ...] | None
    people: tuple[str, ...]
    tokens: tuple[Token, ...]
    dates: tuple[Between, ...]
    there: tuple[tuple[Path, ...], ...]
    count: int
    cursor: str | None
    pairs: tuple[tuple[str, str], ...]

    @property
    def is_dear(self) -> bool:
        """Whether documents are read to answer it."""
        return bool(self.tokens or self.there)


def read_search(rtype: str, pairs: Sequence[tuple[str, str]]) -> Search:
    """A search of one type that is served. Raises fhir-parameter with the parameter's name, where it is one
    of ours."""
    if len(pairs) > PARAMETERS_MAX:
        refuse(FHIR_PARAMETER)
    kind = KINDS.get(rtype)
    ids: tuple[str, ...] | None = None
    people, tokens, dates, there = list[str](), list[Token](), list[Between](), list[tuple[Path, ...]]()
    count, cursor = PAGE_DEFAULT, None
    kept = [pair for pair in pairs if pair[0] != "_cursor"]
    if max(Counter(name for name, _ in pairs).values(), default=0) > _REPEATS_MAX:
        refuse(FHIR_PARAMETER)
    for name, value in pairs:
        if not _PLAIN.match(value) or not _PLAIN.match(name):
            refuse(FHIR_PARAMETER)
        if name == "_id":
            found = tuple(_several(value, name))
            ids = found if ids is None else tuple(one for one in ids if one in found)
        elif name == "_count":
            count = _count(value)
        elif name == "_cursor":
            cursor = value
        elif name in (("identifier",) if rtype == PATIENT else ("patient", "subject")):
            people.append(value)
        elif name == "_include" and kind is not None and value in kind.includes:
            continue
        elif name not in _FORMAT:
            _criterion(rtype, kind, name, value, tokens, dates, there)
    if sum(len(one.wanted) for one in tokens) > _VALUES_MAX:
        refuse(FHIR_PARAMETER)
    return Search(
        kind, ids, tuple(people), tuple(tokens), tuple(dates), tuple(there), count, cursor, tuple(kept)
    )


def _criterion(
    rtype: str,
    kind: Kind | None,
    name: str,
    value: str,
    tokens: list[Token],
    dates: list[Between],
    there: list[tuple[Path, ...]],
) -> None:
    parameter = None if kind is None else kind.parameters.get(name)
    if parameter is None:
        # A name of a stranger's making stands in no answer.
        refuse(FHIR_PARAMETER)
    if isinstance(parameter, Dates):
        dates.append(_between(value, name))
        if parameter.paths:
            there.append(parameter.paths)
        return
    several = _several(value, name)
    kinds = (
        {kind_of_category(one) for one in several} if (rtype, name) == (OBSERVATION, "category") else set()
    )
    wanted = frozenset(_token(one, name) for one in several)
    tokens.append(
        Token(
            parameter.path,
            wanted,
            frozenset(code for _, code in wanted),
            frozenset(one for one in kinds if one is not None),
        )
    )


def _several(value: str, name: str) -> list[str]:
    """`a,b`: either. An escaped comma belongs to no code that we have."""
    found = value.split(",")
    if len(found) > _VALUES_MAX or not all(found) or "\\" in value:
        refuse(FHIR_PARAMETER, name)
    return found


def _token(value: str, name: str) -> tuple[str | None, str | None]:
    system, bar, code = value.rpartition("|")
    if not bar:
        return None, code
    if not system and not code:
        refuse(FHIR_PARAMETER, name)
    return system, code or None


def _count(value: str) -> int:
    if not _COUNT.match(value):
        refuse(FHIR_PARAMETER, "_count")
    return min(int(value), PAGE_MAX)


def _between(value: str, name: str) -> Between:
    match = _PREFIXED.match(value)
    if match is None:
        refuse(FHIR_PARAMETER, name)
    try:
        # In a query a plus may have come as a blank.
        found = moment(match[2].replace(" ", "+"))
        following = found.last + _INSTANT
    except (ValueError, OverflowError, msgspec.MsgspecError):
        refuse(FHIR_PARAMETER, name)
    return Between(match[1] or "eq", found.first.astimezone(UTC), following.astimezone(UTC))


_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def matches(search: Search, doc: str, record_type: str) -> bool:
    """Whether a kept document answers every comparison of codes; times are compared by the row."""
    try:
        resource = _decode(doc)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return all(_has(resource, one, record_type) for one in search.tokens) and all(
        any(True for path in paths for _ in _leaves(resource, path)) for paths in search.there
    )


def _has(resource: dict[str, Any], token: Token, record_type: str) -> bool:
    if record_type in token.kinds:
        return True
    return any(_is(leaf, token) for leaf in islice(_leaves(resource, token.path), _LEAVES_MAX))


def _is(leaf: Any, token: Token) -> bool:
    if isinstance(leaf, str):
        return leaf in token.codes or None in token.codes
    if not isinstance(leaf, dict):
        return False
    code, system = leaf.get("code"), leaf.get("system") or ""
    if not isinstance(system, str):
        return False
    if (system, None) in token.wanted:
        return True
    return isinstance(code, str) and ((None, code) in token.wanted or (system, code) in token.wanted)


def _leaves(value: Any, path: Path) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _leaves(value[path[0]], path[1:])
