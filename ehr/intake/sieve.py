"""Which resources of a unit must be walked at all: its distinct texts tell, and each is judged once.

A record repeats few keys and texts many times. What `survey`, the gate and the labels ask of a
resource they ask of single pairs of key and value, so a pair stands for all resources that hold it;
whatever a lone pair cannot answer counts as telling, and the walk over the whole resource decides.
"""

import json
import re
from typing import Any, cast

import msgspec
from msgspec import Struct

from ehr.intake.gate import Gate, may_tell
from ehr.intake.json_text import DEPTH_MAX
from ehr.intake.splits import short_names
from ehr.intake.survey import Survey, survey

_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*"'
# Of JSON without white space: a key with its scalar (or the bracket that opens), or a text of a list.
# A flat quantity is one value, because its number is judged by where it stands.
_QUANTITY = '"valueQuantity":{'
_FLAT = rf'"valueQuantity":\{{[^{{}}"\[]*(?:{_TEXT}[^{{}}"\[]*)*\}}'
_FLAT_QUANTITY = re.compile(f"({_FLAT})")
PAIR = re.compile(rf'{_FLAT}|{_TEXT}(?::(?:{_TEXT}|[^",{{}}\[\]]+|[{{\[]))?')
_LONE_TEXT = re.compile(_TEXT)
_CLOSE = {"{": "}}", "[": "]}"}
_DEEPEST = "\n" + " " * DEPTH_MAX
NOTHING = Survey(set(), [], [], [])


class Sifted(Struct):
    """telling: for each text given, whether its resource must be walked. references: all, as written."""

    telling: list[bool]
    references: set[str]


def sift(raws: list[str]) -> Sifted:
    """Judge the pairs of a unit's resources. `raws`: their JSON without white space."""
    pairs = pairs_of(raws)
    nodes = dict(zip(pairs, _nodes_of(pairs), strict=True))
    whole = survey({"": list(nodes.values())}, "")
    gate = Gate()
    gate.read(whole.strings)
    telling = {pair for pair, node in nodes.items() if _is_partial(node)}
    cut = bool(short_names("\n".join(whole.parts)))
    if cut or _tells(whole, gate):
        telling |= {
            pair
            for pair, node in nodes.items()
            if _tells(found := survey(node, ""), gate) or (cut and found.parts)
        }
    return Sifted([_holds(raw, telling) or _may_be_deep(raw) for raw in raws], set(whole.references))


def pairs_of(raws: list[str]) -> set[str]:
    """The pairs of all texts. They are cut into pieces first, and each distinct piece is read once.

    A piece ends where `,"` stands. Behind a backslash or inside a text (an even number of quotes is left
    then) that is no place to cut: such texts, or all of them, are read as they stand.
    """
    pairs: set[str] = set()
    pieces: set[str] = set()
    for raw in raws:
        text, quantities = _without_quantities(raw) if _QUANTITY in raw else (raw, [])
        if "\\" in raw or _QUANTITY in text:
            pairs.update(PAIR.findall(raw))
        else:
            pairs.update(quantities)
            pieces.update(text[2:].split(',"'))
    if any(piece.count('"') % 2 == 0 for piece in pieces):
        return {pair for raw in raws for pair in PAIR.findall(raw)}
    return pairs.union(PAIR.findall('"' + ',"'.join(pieces)))


def _without_quantities(raw: str) -> tuple[str, list[str]]:
    """The text with nothing in the place of its flat quantities, and those."""
    parts = _FLAT_QUANTITY.split(raw)
    return '"":0'.join(parts[::2]), parts[1::2]


def _nodes_of(pairs: set[str]) -> list[dict[str, Any]]:
    """Each pair as an object of its own."""
    text = f"[{','.join(map(_as_object, pairs))}]"
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.ValidationError:
        # A number beyond every type of ours.
        return cast(list[dict[str, Any]], json.loads(text))


def _as_object(pair: str) -> str:
    """JSON of the pair; a text of a list stands under no name."""
    if '":' not in pair or ("\\" in pair and _LONE_TEXT.fullmatch(pair)):
        return '{"":' + pair + "}"
    return "{" + pair + _CLOSE.get(pair[-1], "}")


def _is_partial(node: dict[str, Any]) -> bool:
    """An attachment is read together with its type, a quantity with its number."""
    return "data" in node or node.get("valueQuantity") == {}


def _tells(found: Survey, gate: Gate) -> bool:
    return bool(found.reasons) or any(may_tell(code) for _, code in found.codes) or gate.tells(found.strings)


def _holds(raw: str, pairs: set[str]) -> bool:
    return bool(pairs) and not pairs.isdisjoint(PAIR.findall(raw))


def _may_be_deep(raw: str) -> bool:
    """Brackets are counted first: few resources have as many as could be too deep."""
    return raw.count("{") + raw.count("[") >= DEPTH_MAX and _DEEPEST in msgspec.json.format(raw, indent=1)
