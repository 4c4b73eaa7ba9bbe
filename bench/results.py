"""What a measurement says: two values of one round, their ratio, and whether it holds."""

from pathlib import Path

import msgspec
from msgspec import Struct


class Result(Struct, frozen=True, kw_only=True):
    """One line of bench/results.json. `against` names the floor or peer, `ratio` is ours ÷ theirs."""

    name: str
    ours: float
    against: str
    against_value: float
    ratio: float
    target: float
    ok: bool
    unit: str


def compare(
    name: str,
    *,
    ours: list[float],
    against: str,
    theirs: list[float],
    target: float,
    unit: str,
    at_most: bool = False,
) -> Result:
    """Judge interleaved rounds: the round with the median ratio stands for all of them.

    A busy machine slows both sides of a round alike, so the ratio of a round is steadier than the
    ratio of two medians. `at_most` turns the target into an upper bound (start-up times).
    """
    if not ours or len(ours) != len(theirs):
        raise ValueError("each round measures both sides once")
    if min(*ours, *theirs) <= 0:
        raise ValueError("a value of nought is a failed measurement")
    pairs = sorted(zip(ours, theirs, strict=True), key=lambda pair: pair[0] / pair[1])
    mine, other = pairs[len(pairs) // 2]
    ratio = mine / other
    return Result(
        name=name,
        ours=round(mine, 3),
        against=against,
        against_value=round(other, 3),
        ratio=round(ratio, 3),
        target=target,
        ok=ratio <= target if at_most else ratio >= target,
        unit=unit,
    )


def table(results: list[Result]) -> str:
    """The results as a table for a terminal."""
    rows = [("name", "ours", "against", "ratio", "target", "")]
    for result in results:
        theirs = f"{result.against_value:,.1f} {result.unit} ({result.against})"
        verdict = "ok" if result.ok else "MISSED"
        ours = f"{result.ours:,.1f} {result.unit}"
        rows.append((result.name, ours, theirs, f"{result.ratio:.2f}", f"{result.target:g}", verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def write(results: list[Result], path: Path) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
