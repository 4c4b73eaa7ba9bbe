"""A name cut in two over fields: one field ends with its start, another begins with the rest."""

import re
from collections.abc import Iterable

_EDGES = " \t.,;:!?()[]{}<>\"'*/\\|_+=#&-"
_REST_MIN = 4
_START_MIN = 3
_KEY = 3
# Short names count when the fields hold their parts and nothing else.
_SHORT: dict[str, tuple[tuple[str, ...], ...]] = {
    "hiv": (("h", "iv"), ("hi", "v"), ("h", "i", "v")),
    "aids": (("ai", "ds"), ("a", "ids"), ("aid", "s")),
    "arv": (("ar", "v"),),
}
SHORT_PARTS = frozenset(part for ways in _SHORT.values() for way in ways for part in way)
_BEGINNINGS = re.compile(r"^[\W_]{0,20}([a-z0-9].{2})", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9]+")


class Splits:
    """The ways to cut each name. Single words are cut anywhere inside, others between their words."""

    def __init__(self, names: Iterable[str]) -> None:
        self._starts: dict[str, set[str]] = {}
        self._by_key: dict[str, set[str]] = {}
        for name in names:
            for start, rest in _cuts(name):
                self._starts.setdefault(rest, set()).add(start)
                self._by_key.setdefault(rest[:_KEY], set()).add(rest)

    def may_end_here(self, text: str) -> bool:
        """Whether a line of folded text begins as the rest of a name would."""
        if self._by_key.keys().isdisjoint(_BEGINNINGS.findall(text)):
            return False
        return any(self._rests(line) for line in text.split("\n"))

    def joined(self, text: str) -> list[str]:
        """The names that lines of folded text make together."""
        lines = text.split("\n")
        rests = {rest for line in lines for rest in self._rests(line)}
        if not rests:
            return []
        ends = [line.rstrip(_EDGES) for line in lines]
        return [
            start + rest
            for rest in rests
            for start in self._starts[rest]
            if any(_ends_with(end, start) for end in ends)
        ]

    def _rests(self, line: str) -> list[str]:
        line = line.lstrip(_EDGES)
        known = self._by_key.get(line[:_KEY])
        return [rest for rest in known if _begins_with(line, rest.strip())] if known else []


def _cuts(name: str) -> list[tuple[str, str]]:
    words = name.split()
    if len(words) > 1:
        return [(" ".join(words[:i]) + " ", " ".join(words[i:])) for i in range(1, len(words))]
    return [(name[:i], name[i:]) for i in range(_START_MIN, len(name) - 2)]


def _begins_with(line: str, rest: str) -> bool:
    if len(rest) >= _REST_MIN:
        return line.startswith(rest)
    first = _WORD.match(line)
    return first is not None and first.group() == rest


def _ends_with(end: str, start: str) -> bool:
    start = start.strip()
    before = end[: -len(start)]
    return end.endswith(start) and not before[-1:].isalpha()


def short_names(text: str) -> list[str]:
    """The short names whose parts are lines of their own in folded text."""
    bare = {
        part for line in text.split("\n") if len(line) <= 8 and (part := line.strip(_EDGES)) in SHORT_PARTS
    }
    if len(bare) < 2:
        return []
    return [name for name, ways in _SHORT.items() if any(bare.issuperset(way) for way in ways)]
