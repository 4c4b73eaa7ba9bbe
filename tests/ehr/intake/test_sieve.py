"""The sieve's quick way to the pairs of a unit finds what reading each text through would."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ehr.intake.sieve import PAIR, pairs_of

TEXTS = st.text(alphabet=',":{}[]\\\n a1', max_size=6) | st.sampled_from(
    ["valueQuantity", "value", "a,", ',"']
)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-99, 99)
QUANTITIES = st.fixed_dictionaries({"value": SCALARS}, optional={"unit": SCALARS, "extension": st.just([])})
PARTS = st.recursive(
    SCALARS | st.fixed_dictionaries({"valueQuantity": QUANTITIES | SCALARS}, optional={"code": SCALARS}),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=12,
)
DOCS = st.dictionaries(TEXTS, PARTS, max_size=4)


@given(st.lists(DOCS, max_size=4))
def test_pieces_hold_the_pairs_of_the_whole_texts(docs: list[dict[str, Any]]) -> None:
    raws = [msgspec.json.encode(doc).decode() for doc in docs]
    whole = {pair for raw in raws for pair in PAIR.findall(raw)}
    # What stands in the place of a quantity tells nothing.
    assert pairs_of(raws) - {'"":0'} == whole - {'"":0'}


def test_each_distinct_piece_is_read_once() -> None:
    raws = [f'{{"a":"x","valueQuantity":{{"value":{number},"unit":"g"}},"b":[1,2]}}' for number in range(3)]
    assert pairs_of(raws) == {
        '"a":"x"',
        '"b":[',
        '"":0',
        *(f'"valueQuantity":{{"value":{number},"unit":"g"}}' for number in range(3)),
    }
