"""Finding names in folded text quickly: a pattern runs only where the first letters of its name occur."""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

_SPACED = frozenset({"hiv", "aids", "arv"})
_GAP = r"[\W_]*"
_SQUEEZE = re.compile(r"[\W_]+")


def squeeze(text: str) -> str:
    """Letters and digits only, for the look at first letters."""
    return _SQUEEZE.sub("", text)


class Names(Generic[T]):
    """Folded names with a tag each. Short ones must stand alone, longer ones may take an ending."""

    def __init__(self, tagged: Iterable[tuple[str, T]]) -> None:
        words: dict[str, dict[T, list[str]]] = {}
        for name, tag in tagged:
            words.setdefault(squeeze(name)[:5], {}).setdefault(tag, []).append(_word(name))
        self._patterns = {
            stem: [(tag, re.compile("|".join(parts))) for tag, parts in by_tag.items()]
            for stem, by_tag in words.items()
        }
        self._stems = tuple(self._patterns)

    def found(self, text: str) -> dict[T, set[str]]:
        """What of folded `text` matches, by tag."""
        squeezed = squeeze(text)
        hits: dict[T, set[str]] = {}
        for stem in filter(squeezed.__contains__, self._stems):
            for tag, pattern in self._patterns[stem]:
                matches = {match.group() for match in pattern.finditer(text)}
                if matches:
                    hits[tag] = hits.get(tag, set()) | matches
        return hits


def _word(name: str) -> str:
    if name in _SPACED:
        letters = r"[\W_]{1,3}".join(name)
        solid = rf"(?:(?<![a-z])|(?<=anti)|(?<=xn)){name}(?:ag|ab|rna|dna|combo|test|am|duong)?\d*(?![a-z])"
        return rf"{solid}|(?<![a-z0-9]){letters}(?![a-z])"
    body = _GAP.join(re.escape(part) for part in name.split())
    return rf"(?<![a-z]){body}" + (r"(?![a-z])" if len(name) <= 4 else "")
