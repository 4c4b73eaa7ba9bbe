"""What `healthbook audit verify` says of a log: one line, and the first place that does not hold."""

from collections.abc import Sequence
from pathlib import Path

from audit.export import ExportError, read_export, verify_export
from audit.models import Head
from audit.operators import verify_operators
from audit.verify import Broken
from store.database import Store


class ProofError(Exception):
    """status: 1 for a log that was changed, 2 for what cannot be checked."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def check_exports(paths: Sequence[Path], pin: str | None) -> str:
    """Check the pages of one log. Raises ProofError."""
    kept = None if pin is None else _head(pin)
    try:
        export = read_export([path.read_bytes() for path in paths])
    except ExportError as error:
        raise ProofError(f"Not an export with proofs: {error}.", 2) from error
    _refuse(verify_export(export, kept))
    return _holds(len(export.rows), export.head)


async def check_operators(store: Store) -> str:
    """Check the operators' log. Raises ProofError."""
    async with store.transaction() as tx:
        checked = await verify_operators(tx)
    _refuse(checked.broken)
    return _holds(checked.head.seq if checked.head else 0, checked.head)


def _head(pin: str) -> Head:
    try:
        seq, _, h = pin.partition(":")
        return Head(seq=int(seq), h=bytes.fromhex(h))
    except ValueError as error:
        raise ProofError("--pin: expected SEQ:H, as `head` of a page names them.", 2) from error


def _refuse(broken: Broken | None) -> None:
    if broken is not None:
        raise ProofError(f"Changed: row {broken.at}, {broken.reason}.", 1)


def _holds(rows: int, head: Head | None) -> str:
    return f"Whole: {rows} rows" + (f", head {head.seq}:{head.h.hex()}" if head else "")
