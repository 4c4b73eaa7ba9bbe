"""The published vectors of exports and roots; `python -m tests.audit.roots.vectors` writes them again.

Each case is what somebody holds: an export, roots, what an earlier check kept; and what a verifier says.
"""

from datetime import timedelta
from typing import Any, Final

import msgspec

from audit.roots.models import AuditRoots, LogProof, Pin, SignedRoot
from audit.roots.signing import root_id
from audit.verify import ExportRow
from tests.audit.roots.world import NEXT_LOG, THIRD_LOG, Line, Log, chain, item_of, lines_of, pin_of, public
from tests.support import vectors
from tests.support.clock import START
from tests.support.vectors import refused, taken

FILE: Final = vectors.PLACE / "audit-roots.json"


class Honest:
    """Six rows of a person; a root after the third, which the person kept, and one after the sixth."""

    def __init__(self, action: str = "record:summary:read", key: str = "service") -> None:
        self.rows: list[ExportRow] = chain(6, action)
        self.log = Log(key=key)
        self.log.others(4)
        self.log.append(self.rows[2])
        self.first: SignedRoot = self.log.sign()
        self.log.others(3)
        self.log.append(self.rows[5])
        self.second: SignedRoot = self.log.sign()
        self.proof: LogProof = self.log.prove(self.rows[5], self.second, self.first)
        self.pin: Pin = pin_of(self.rows[:3], self.first)

    def lines(self) -> list[Line]:
        return lines_of(self.rows, self.proof)


def case(
    name: str,
    lines: list[Line],
    roots: list[AuditRoots],
    pin: Pin | None,
    expect: dict[str, Any],
    before: list[Line] | None = None,
) -> dict[str, Any]:
    """before: what was checked in between, without roots."""
    held = {"pin": pin, "witness": public("witness")}
    given = {"export": lines, "roots": roots} | ({} if before is None else {"before": before})
    return vectors.case(name, given, expect, keys=held)


def found(at: int, reason: str) -> dict[str, Any]:
    return refused(reason, at=at)


def edited(lines: list[Line]) -> list[Line]:
    item = dict(lines[3]["item"])
    item |= {"outcome": "refused", "row": item["row"].replace('"outcome":"ok"', '"outcome":"refused"')}
    return [*lines[:3], {"item": item}, *lines[4:]]


def with_proof(lines: list[Line], proof: LogProof) -> list[Line]:
    return [*lines[:-1], {"proof": msgspec.to_builtins(proof)}]


def forged_log() -> tuple[Log, LogProof]:
    """The service shows this person another log of the same size, signed with the true key."""
    honest, other = Honest(), Log()
    other.others(4)
    other.append(honest.rows[2])
    other.sign()
    other.others(2)
    other.append(honest.rows[4])
    other.append(honest.rows[5])
    root = other.sign()
    return other, other.prove(honest.rows[5], root, other.roots[0])


def rolled_back() -> Log:
    """A log that ends before what the person kept."""
    honest, older = Honest(), Log()
    older.others(4)
    older.append(honest.rows[0])
    older.sign()
    return older


def cases() -> list[dict[str, Any]]:
    return [
        *rows_changed(),
        *roots_changed(),
        *keys_changed(),
        *checked_without_roots(),
        restored(),
        restored_without_mark(),
        restored_once(),
        stale_root(),
    ]


def rows_changed() -> list[dict[str, Any]]:
    """The service or somebody on the way changed the person's rows."""
    h = Honest()
    lines, roots, pin = h.lines(), [h.log.document()], h.pin
    anew = Honest(action="consent:grant:use")
    return [
        case(
            "an untouched log", lines, roots, pin, taken({"seq": 6, "root": 2, "gaps": [], "keys": ["0001"]})
        ),
        case("an edited row", edited(lines), roots, pin, found(4, "link-does-not-match")),
        case("a deleted row", [*lines[:3], *lines[4:]], roots, pin, found(4, "row-missing-or-moved")),
        case(
            "two rows in another order",
            [lines[0], lines[2], lines[1], *lines[3:]],
            roots,
            pin,
            found(2, "row-missing-or-moved"),
        ),
        case(
            "an inserted row",
            [*lines[:4], lines[1], *lines[4:]],
            roots,
            pin,
            found(5, "row-missing-or-moved"),
        ),
        case(
            "a cut tail, with a head made to fit",
            [*lines[:5], {"head": {"seq": 5, "h": h.rows[4].h}}, lines[-1]],
            roots,
            pin,
            found(6, "rooted-row-missing"),
        ),
        case("a cut tail", [*lines[:5], *lines[6:]], roots, pin, found(6, "head-missing")),
        case(
            "a log written anew, with roots of its own",
            anew.lines(),
            [anew.log.document()],
            pin,
            found(3, "pinned-head-differs"),
        ),
    ]


def roots_changed() -> list[dict[str, Any]]:
    """The service shows roots or proofs that do not continue what was kept."""
    h = Honest()
    lines, roots, pin = h.lines(), [h.log.document()], h.pin
    fork, fork_proof = forged_log()
    back = rolled_back()
    replaced = msgspec.structs.replace(h.proof, inclusion=[*h.proof.inclusion[:-1], "00" * 32])
    other_head = msgspec.structs.replace(h.proof, consistency=["11" * 32, *h.proof.consistency[1:]])
    return [
        case(
            "a fork: two roots of one size",
            with_proof(lines, fork_proof),
            [h.log.document(), fork.document()],
            pin,
            found(2, "roots-fork"),
        ),
        case(
            "a fork that hides a root from the person",
            with_proof(lines, fork_proof),
            [h.log.document()],
            pin,
            found(2, "roots-fork"),
        ),
        case("a forged proof", with_proof(lines, replaced), roots, pin, found(6, "proof-forged")),
        case(
            "a forged proof that the log continues",
            with_proof(lines, other_head),
            roots,
            pin,
            found(2, "root-continues-nothing"),
        ),
        case(
            "a root under another key",
            Honest(key="stranger").lines(),
            [Honest(key="stranger").log.document()],
            pin,
            found(0, "root-keys-differ"),
        ),
        case(
            "a rollback: a root older than the one that was kept",
            [{"item": item_of(row)} for row in h.rows[:3]]
            + [
                {"head": {"seq": 3, "h": h.rows[2].h}},
                {"proof": msgspec.to_builtins(back.prove(h.rows[0], back.roots[0]))},
            ],
            [back.document()],
            pin_of(h.rows[:3], h.second),
            found(1, "root-rolled-back"),
        ),
    ]


class Rotated(Honest):
    """The second root is signed with a new key."""

    def __init__(self, vouching: str | None, key: str = "service 2") -> None:
        super().__init__()
        self.log.roots.pop()
        self.log.rotate(key, vouching)
        self.second = self.log.sign()
        self.proof = self.log.prove(self.rows[5], self.second, self.first)

    def case(self, name: str, expect: dict[str, Any], pin: Pin | None) -> dict[str, Any]:
        return case(name, self.lines(), [self.log.document()], pin, expect)


def keys_changed() -> list[dict[str, Any]]:
    """A key that no kept one vouches for is nobody's; the first check has nothing to hold it against."""
    both = taken({"seq": 6, "root": 2, "gaps": [], "keys": ["0001", "0002"]})
    vouched, bare = Rotated("service"), Rotated(None)
    believed = msgspec.structs.replace(vouched.pin, keys=[*vouched.log.keys])
    gone = [msgspec.structs.replace(vouched.log.document(), keys=vouched.log.keys[:1])]
    return [
        vouched.case("a new key that the kept one vouches for", both, vouched.pin),
        bare.case("a new key at the first check", both, None),
        bare.case("a new key that nobody vouches for", found(2, "root-key-unvouched"), bare.pin),
        Rotated("service 2").case(
            "a new key that vouches for itself under the name of the kept one",
            found(2, "root-key-unvouched"),
            bare.pin,
        ),
        case("a kept key that is no longer published", vouched.lines(), gone, believed, both),
    ]


def checked_without_roots() -> list[dict[str, Any]]:
    """A check for which no roots were to be had takes nothing of what was kept."""
    h, other = Honest(), Honest(key="stranger")
    short = lines_of(h.rows[:4])
    fork, proof = forged_log()
    rows = chain(8)
    after = Log(epoch=1, log=NEXT_LOG)
    after.append(rows[7])
    anew = lines_of(rows, after.prove(rows[7], after.sign(number=2)))
    return [
        case(
            "a check without roots, then an untouched log",
            h.lines(),
            [h.log.document()],
            h.pin,
            taken({"seq": 6, "root": 2, "gaps": [], "keys": ["0001"]}),
            before=short,
        ),
        case(
            "a check without roots, then a root under another key",
            other.lines(),
            [other.log.document()],
            h.pin,
            found(0, "root-keys-differ"),
            before=short,
        ),
        case(
            "a check without roots, then another log of heads",
            with_proof(h.lines(), proof),
            [fork.document()],
            pin_of(h.rows[:3], h.second),
            found(2, "roots-fork"),
            before=short,
        ),
        case(
            "a check without roots, then a log that begins anew without a row that says why",
            anew,
            [after.document()],
            h.pin,
            found(2, "root-rolled-back"),
            before=lines_of(rows[:4]),
        ),
    ]


def restored() -> dict[str, Any]:
    """The backup ended with row 2: rows 3 to 6 are lost, and the log says so."""
    h = Honest()
    rows = chain(8, gap_at=3)
    after = Log(epoch=1, log=NEXT_LOG)
    after.others(2)
    after.append(rows[7])
    root = after.sign(number=2)
    lines = lines_of(rows, after.prove(rows[7], root))
    pin = msgspec.structs.replace(pin_of(h.rows, h.second), root=None)
    expect = taken({"seq": 8, "root": 2, "gaps": [{"first": 3, "last": 6}], "keys": ["0001"]})
    return case("a restored backup names what is lost", lines, [after.document()], pin, expect)


def restored_without_mark() -> dict[str, Any]:
    h = Honest()
    rows = chain(8)
    after = Log(epoch=1, log=NEXT_LOG)
    after.append(rows[7])
    root = after.sign(number=2)
    lines = lines_of(rows, after.prove(rows[7], root))
    name = "a log that begins anew without a row that says why"
    return case(name, lines, [after.document()], h.pin, found(2, "root-rolled-back"))


def restored_once() -> dict[str, Any]:
    """What was kept is of the log after the restore in row 3; another one begins, and no row says why."""
    rows = chain(8, gap_at=3)
    after = Log(epoch=1, log=NEXT_LOG)
    after.append(rows[5])
    kept = after.sign(at=START + timedelta(minutes=1), number=2)
    anew = Log(epoch=2, log=THIRD_LOG)
    anew.append(rows[7])
    root = anew.sign(at=START + timedelta(minutes=2), number=3, prev=root_id(kept.root))
    lines = lines_of(rows, anew.prove(rows[7], root))
    name = "a log that begins anew long after the restore that it names"
    roots = [after.document(), anew.document()]
    return case(name, lines, roots, pin_of(rows[:6], kept), found(3, "root-rolled-back"))


def stale_root() -> dict[str, Any]:
    """Rows 4 to 6 are in no root; the proof names the old root, as if there were no newer one."""
    rows = chain(6, pace=timedelta(hours=1))
    log = Log()
    log.append(rows[2])
    old = log.sign(at=START + timedelta(hours=3))
    log.others(3)
    log.sign(at=START + timedelta(hours=7))
    lines = lines_of(rows, log.prove(rows[2], old))
    name = "stale-root: rows kept out of the roots behind an old one"
    return case(name, lines, [log.document()], None, found(4, "row-kept-out-of-root"))


def document() -> bytes:
    about = (
        "export: lines of GET /v1/me/access-log/export; roots: answers of /.well-known/audit-roots; "
        "before: an export that is checked in between, without roots, and what it keeps is the pin then; "
        "keys.pin: what an earlier check kept; keys.witness: the witness's Ed25519 key. leaf = SHA-256(0x00 "
        "| JCS(leaf)), node = SHA-256(0x01 | left | right) (RFC 6962); a root's signature is Ed25519 over "
        "JCS(root); prev is SHA-256 of the JCS of the root before; a key's voucher is Ed25519 by key `by` "
        'over JCS {by, kid, typ: "audit-root-key", v: 1, x}. expect: seq of the head, number of the '
        "root and kids to keep, or the first thing that does not hold; gaps: rows that a restored backup "
        "lost. Rows themselves: audit-chain.json"
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
