"""What `healthbook audit verify` says of a log: plain words, and the first place that does not hold."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from audit.export import Export, ExportError, Gap, read_export, verify_export
from audit.models import Head
from audit.operators import verify_operators
from audit.roots.models import AuditRoots, Pin, Root
from audit.roots.proofs import roots_after
from audit.roots.verify import NotCheckableError, check_roots
from audit.verify import Broken
from kernel.clock import VIETNAM
from store.database import Store

CHANGED: Final = 1
NOT_CHECKABLE: Final = 2
LOST: Final = 3

T = TypeVar("T", Pin, AuditRoots)


class ProofError(Exception):
    """status: 1 for a log that was changed, 2 for what cannot be checked, 3 for a loss that it tells of."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _Words(Struct, frozen=True):
    vi: str
    en: str


def check_exports(
    exports: Sequence[Path],
    roots: Sequence[Path],
    pin: Path | None = None,
    witness: str | None = None,
    keep: Path | None = None,
) -> str:
    """Check the pages of one log, with nothing but these files. Raises ProofError."""
    kept = None if pin is None else _read(pin, Pin, "not-a-pin")
    published = [_read(path, AuditRoots, "not-roots") for path in roots]
    try:
        export = read_export([path.read_bytes() for path in exports])
        verdict = verify_export(export, kept, published, witness)
    except ExportError as error:
        raise ProofError(say(error.reason), NOT_CHECKABLE) from error
    except NotCheckableError as error:
        raise ProofError(say(error.reason, **error.values), NOT_CHECKABLE) from error
    _refuse(verdict.broken)
    if keep is not None and verdict.pin is not None:
        keep.write_bytes(msgspec.json.format(msgspec.json.encode(verdict.pin)) + b"\n")
    text = _said(export, verdict.masked, is_rooted=bool(published))
    if verdict.gaps:
        raise ProofError("\n".join([text, *(_gap(gap) for gap in verdict.gaps)]), LOST)
    return text


async def check_operators(store: Store, roots: Sequence[Path] = ()) -> str:
    """Check the operators' log, and that it passes through what roots keep of it: those of the database and
    those of files that somebody has elsewhere. Raises ProofError."""
    given = [_read(path, AuditRoots, "not-roots") for path in roots]
    async with store.transaction() as tx:
        newest = await roots_after(tx, store.keys, None)
        published = [*given, newest]
        _refuse(check_roots(published, None))
        checked = await verify_operators(tx, _heads(published))
    _refuse(checked.broken)
    return _whole(checked.head.seq if checked.head else 0, checked.head)


def _heads(documents: Sequence[AuditRoots]) -> list[Head]:
    """What roots keep of the operators' chain."""
    roots: list[Root] = [one.root for document in documents for one in document.roots]
    kept = [root.operators for root in roots if root.operators is not None]
    return [Head(seq=head.seq, h=bytes.fromhex(head.h)) for head in kept]


def _read(path: Path, type_: type[T], otherwise: str) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except (ValueError, RecursionError) as error:
        raise ProofError(say(otherwise, name=path.name), NOT_CHECKABLE) from error


def _refuse(broken: Broken | None) -> None:
    if broken is not None:
        raise ProofError(say(broken.reason, at=broken.at), CHANGED)


def _said(export: Export, masked: int, *, is_rooted: bool) -> str:
    lines = [_whole(len(export.rows), export.head), say("not-covered")]
    if masked:
        lines.append(say("masked", rows=masked))
    if is_rooted and export.proof is not None:
        root = export.proof.root.root
        lines.append(say("rooted", root=root.number, seq=export.proof.leaf.seq))
    return "\n".join(lines)


def _whole(rows: int, head: Head | None) -> str:
    text = say("whole", rows=rows)
    return text if head is None else f"{text}\n{say('head', head=f'{head.seq}:{head.h.hex()}')}"


def _gap(gap: Gap) -> str:
    when = {"since": _local(gap.since), "until": _local(gap.until)}
    if gap.last is None:
        return say("gap-open", first=gap.first, **when)
    return say("gap", first=gap.first, last=gap.last, **when)


def _local(at: datetime | None) -> str:
    return "?" if at is None else f"{at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S %z}"


def say(reason: str, **values: object) -> str:
    """A verdict in Vietnamese and English, one line each."""
    words = _words()[reason]
    return f"{words.vi.format(**values)}\n{words.en.format(**values)}"


@cache
def _words() -> dict[str, _Words]:
    raw = files("audit").joinpath("texts/verdicts.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, _Words])
