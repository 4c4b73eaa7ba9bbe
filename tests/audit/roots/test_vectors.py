"""The published vectors of exports and roots, and exports that are spoiled at random."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.export import ExportError, Verdict, read_export, verify_export
from audit.roots.models import AuditRoots, Pin
from audit.roots.verify import NotCheckableError
from tests.audit.roots import vectors
from tests.audit.roots.world import Line, chain, lines_of, public, text_of
from tests.support.clock import START

CASES: list[dict[str, Any]] = msgspec.json.decode(vectors.FILE.read_bytes())["cases"]
HONEST = next(case["input"] | case["keys"] for case in CASES if "ok" in case["expect"])
KINDS = ("edited", "deleted", "order", "inserted", "cut", "fork", "forged", "rollback")


def judge(given_: dict[str, Any], lines: list[Line] | None = None) -> Verdict:
    pin = msgspec.convert(given_["pin"], Pin | None)
    roots = msgspec.convert(given_["roots"], list[AuditRoots])
    if "before" in given_:
        pin = verify_export(read_export([text_of(given_["before"])]), pin).pin
    export = read_export([text_of(given_["export"] if lines is None else lines)])
    return verify_export(export, pin, roots, given_["witness"])


def test_the_published_file_is_the_generated_one() -> None:
    assert vectors.FILE.read_bytes() == vectors.document(), "run: python -m tests.audit.roots.vectors"


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_vector_of_every_kind_of_forgery(kind: str) -> None:
    assert [case for case in CASES if kind in case["name"] and "ok" not in case["expect"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_s25_the_verifier_agrees_with_the_vector(case: dict[str, Any]) -> None:
    verdict, expect = judge(case["input"] | case["keys"]), case["expect"]
    if "ok" not in expect:
        assert verdict.broken is not None
        assert (verdict.broken.at, verdict.broken.reason) == (expect["at"], expect["problem_code"])
        assert verdict.pin is None
        return
    assert verdict.broken is None
    assert verdict.pin is not None
    assert verdict.pin.root is not None
    gaps = [{"first": gap.first, "last": gap.last} for gap in verdict.gaps]
    found = {"seq": verdict.pin.seq, "root": verdict.pin.root.number, "gaps": gaps}
    found["keys"] = [key.kid for key in verdict.pin.keys]
    assert found == expect["ok"]


def test_what_a_check_keeps_is_what_the_next_one_takes() -> None:
    first = judge(HONEST)
    again = judge(HONEST | {"pin": msgspec.to_builtins(first.pin)})
    assert (again.broken, again.pin) == (None, first.pin)


def test_s25_a_witness_whose_key_is_another_signed_nothing() -> None:
    verdict = judge(HONEST | {"witness": public("stranger")})
    assert verdict.broken is not None
    assert verdict.broken.reason == "root-not-witnessed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"roots": []}, None),
        ({"roots": [HONEST["roots"][0] | {"roots": HONEST["roots"][0]["roots"][:1]}]}, "roots-too-few"),
    ],
)
def test_roots_that_do_not_reach_the_proof_are_asked_for(change: dict[str, Any], why: str | None) -> None:
    """Without any roots the chain alone is checked."""
    if why is None:
        assert judge(HONEST | change).broken is None
        return
    with pytest.raises(NotCheckableError, match=why):
        judge(HONEST | change)


def test_a_row_that_is_kept_out_of_every_root_is_found() -> None:
    """The service proves an old head again and again, so that newer rows can be taken back unseen."""
    h = vectors.Honest()
    late = h.log.sign(at=START.replace(hour=9))
    proof = h.log.prove(h.rows[5], late, h.first)
    rows = chain(9)
    verdict = judge(
        HONEST | {"roots": msgspec.to_builtins([h.log.document()])},
        lines_of(rows, proof),
    )
    assert verdict.broken is not None
    assert (verdict.broken.at, verdict.broken.reason) == (7, "row-kept-out-of-root")


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all plain values in a JSON value."""
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in leaves_of(one, (*path, key))]
    if isinstance(value, list):
        return [found for at, one in enumerate(value) for found in leaves_of(one, (*path, at))]
    return [path]


# Put together for people and covered by nothing, and a salt that only whoever has the answer can try
# (docs/threat-model.md). Signatures and witnesses are those of the published roots, not of the export.
UNCOVERED = {"line", "facility_name", "salt", "signature", "witnesses"}
PLACES = [path for path in leaves_of(HONEST["export"]) if not UNCOVERED & set(path)]


def spoil(value: Any, data: st.DataObject) -> Any:
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return data.draw(st.integers(0, 2**40).filter(lambda other: other != value))
    if value is None:
        return data.draw(st.sampled_from(["x", "00", 7]))
    at = data.draw(st.integers(0, max(0, len(value) - 1)))
    letter = data.draw(st.sampled_from("0123456789abcdefXYZ").filter(lambda one: one != value[at : at + 1]))
    return value[:at] + letter + value[at + 1 :]


def is_found(lines: list[Line]) -> bool:
    try:
        verdict = judge(HONEST, lines)
    except (ExportError, NotCheckableError):
        return True
    return verdict.broken is not None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_s25_any_one_value_of_an_export_that_is_changed_is_found(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PLACES))
    lines = msgspec.json.decode(msgspec.json.encode(HONEST["export"]))
    place = lines
    for step in path[:-1]:
        place = place[step]
    was = place[path[-1]]
    place[path[-1]] = spoil(was, data)
    assert place[path[-1]] != was
    assert is_found(lines), path


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_s25_rows_left_out_doubled_or_moved_are_found(data: st.DataObject) -> None:
    lines = HONEST["export"]
    rows, rest = lines[:6], lines[6:]
    picked = data.draw(st.lists(st.sampled_from(range(6)), max_size=9))
    if picked == list(range(6)):
        return
    assert is_found([*(rows[at] for at in picked), *rest])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_what_is_no_export_is_refused_and_nothing_else_happens(text: bytes) -> None:
    try:
        export = read_export([text])
    except ExportError:
        return
    assert export.rows == []
