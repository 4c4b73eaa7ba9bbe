"""A whole log of heads without a database: two people's chains, roots and proofs, the same in every run."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.chain import GENESIS, canonical, digest, link
from audit.policy import utc_text
from audit.roots.models import (
    AuditRoots,
    Cosignature,
    Leaf,
    LogProof,
    OperatorsHead,
    Pin,
    Root,
    RootKey,
    SignedRoot,
)
from audit.roots.signing import (
    FIRST_PREV,
    cosigned_text,
    leaf_data,
    root_id,
    to_base64url,
    vouched,
)
from audit.roots.tree import consistency_spans, inclusion_spans, leaf_hash, node_hash
from audit.verify import ExportRow
from tests.audit.vectors import LICENCE, NAME, entry_of, salt_of
from tests.support.clock import START

Line: TypeAlias = dict[str, Any]

LOG = UUID("019aa3f0-0000-7000-8000-00000000000a")
# Of the epoch after a restore.
NEXT_LOG = UUID("019aa3f0-0000-7000-8000-00000000000b")
THIRD_LOG = UUID("019aa3f0-0000-7000-8000-00000000000c")
PSEUDONYM = hashlib.sha256(b"the person").hexdigest()
WITNESS = "witness.example"


def private(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str) -> str:
    return to_base64url(private(name).public_key().public_bytes_raw())


def merkle(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(merkle(hashes[:half]), merkle(hashes[half:]))


def chain(
    count: int,
    action: str = "record:summary:read",
    gap_at: int = 0,
    pace: timedelta = timedelta(seconds=1),
) -> list[ExportRow]:
    """A person's rows, one every `pace`; the one at `gap_at` marks a restored backup."""
    rows: list[ExportRow] = []
    prev = GENESIS
    for seq in range(1, count + 1):
        said = entry_of(seq, "restore:log:recovered" if seq == gap_at else action)
        said = msgspec.structs.replace(said, at=utc_text(START + seq * pace))
        row: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(said))
        h = link(prev, seq, digest(rfc8785.dumps(row)))
        rows.append(
            ExportRow(
                seq=seq,
                row=row,
                prev=prev.hex(),
                h=h.hex(),
                salt=salt_of(seq, "body").hex(),
                actor_salt=salt_of(seq, "actor").hex(),
                actor_name=NAME,
                actor_licence=LICENCE,
            )
        )
        prev = h
    return rows


def item_of(row: ExportRow) -> Line:
    """A row as the service shows it in an export."""
    said = row.row
    return {
        "seq": row.seq,
        "first_seq": row.seq,
        "times": 1,
        "at": said["at"],
        "line": "BS Nguyễn Văn An đã xem tóm tắt sổ",
        "action": said["action"],
        "outcome": said["outcome"],
        "reason": said["reason"],
        "is_own": False,
        "actor_kind": said["actor"]["kind"],
        "actor_name": row.actor_name,
        "actor_licence": row.actor_licence,
        "actor_role": said["actor"]["role"],
        "facility_name": "BV Đống Đa",
        "facility_id": said["facility_id"],
        "basis": said["basis"],
        "on_behalf_of": said["on_behalf_of"],
        "purpose": said["purpose"],
        "grant_id": said["grant"]["id"],
        "types": list(said["resources"]),
        "count": said["count"],
        "request_id": said["request_id"],
        "prev": row.prev,
        "h": row.h,
        "salt": row.salt,
        "row": rfc8785.dumps(said).decode(),
        "actor_salt": row.actor_salt,
    }


def lines_of(rows: list[ExportRow], proof: LogProof | None = None) -> list[Line]:
    """The lines of an export as JSON values."""
    lines: list[Line] = [{"item": item_of(row)} for row in rows]
    if rows:
        lines.append({"head": {"seq": rows[-1].seq, "h": rows[-1].h}})
    if proof is not None:
        lines.append({"proof": msgspec.to_builtins(proof)})
    return lines


def text_of(lines: list[Line]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


class Log:
    """The public log as an honest service keeps it."""

    def __init__(self, *, epoch: int = 0, log: UUID = LOG, key: str = "service") -> None:
        self.epoch, self.log, self.key, self.kid = epoch, log, key, "0001"
        self.keys = [RootKey(kid=self.kid, x=public(key))]
        self.leaves: list[Leaf] = []
        self.roots: list[SignedRoot] = []

    def others(self, count: int) -> None:
        """Heads of other people."""
        for number in range(len(self.leaves), len(self.leaves) + count):
            other = hashlib.sha256(b"other %d" % number).hexdigest()
            self.leaves.append(Leaf(epoch=self.epoch, h=other, pseudonym=other, seq=1))

    def append(self, row: ExportRow) -> None:
        self.leaves.append(Leaf(epoch=self.epoch, h=row.h, pseudonym=PSEUDONYM, seq=row.seq))

    def rotate(self, key: str, vouching: str | None = None) -> None:
        """A second key signs from now on. vouching: who says so under the name of the first; None: nobody."""
        signers = {} if vouching is None else {self.kid: private(vouching)}
        self.key, self.kid = key, "0002"
        self.keys.append(vouched(self.kid, public(key), signers))

    def sign(self, at: datetime = START, **other: Any) -> SignedRoot:
        last = self.roots[-1].root if self.roots else None
        fields: dict[str, Any] = {
            "at": utc_text(at + timedelta(minutes=5 * len(self.roots))),
            "epoch": self.epoch,
            "hash": merkle(self.hashes()).hex(),
            "kid": self.kid,
            "log": self.log,
            "number": last.number + 1 if last else 1,
            "operators": OperatorsHead(h=hashlib.sha256(b"operators").hexdigest(), seq=3),
            "prev": root_id(last) if last else FIRST_PREV,
            "size": len(self.leaves),
            "typ": "audit-root",
            "v": 1,
        }
        root = Root(**(fields | other))
        signed = SignedRoot(
            root=root,
            signature=to_base64url(private(self.key).sign(canonical(root))),
            witnesses=[witnessed(root)],
        )
        self.roots.append(signed)
        return signed

    def hashes(self) -> list[bytes]:
        return [leaf_hash(leaf_data(leaf)) for leaf in self.leaves]

    def prove(self, row: ExportRow, root: SignedRoot, pinned: SignedRoot | None = None) -> LogProof:
        """The newest leaf of the person below a root is the row's."""
        size = root.root.size
        index = max(at for at, leaf in enumerate(self.leaves[:size]) if leaf.pseudonym == PSEUDONYM)
        hashes = self.hashes()[:size]
        steps = [merkle(hashes[span.begin : span.end]) for span in inclusion_spans(index, size)]
        continues: list[bytes] = []
        if pinned is not None and 0 < pinned.root.size < size:
            spans = consistency_spans(pinned.root.size, size)
            continues = [merkle(hashes[span.begin : span.end]) for span in spans]
        return LogProof(
            seq=row.seq,
            h=row.h,
            path=[],
            leaf=self.leaves[index],
            index=index,
            root=root,
            inclusion=[step.hex() for step in steps],
            pinned=pinned,
            consistency=[step.hex() for step in continues],
        )

    def document(self) -> AuditRoots:
        return AuditRoots(keys=list(self.keys), roots=list(self.roots))


def witnessed(root: Root) -> Cosignature:
    at = utc_text(START)
    signature = to_base64url(private("witness").sign(cosigned_text(root, WITNESS, at)))
    return Cosignature(at=at, signature=signature, witness=WITNESS)


def pin_of(rows: list[ExportRow], root: SignedRoot | None) -> Pin:
    """What a person kept when the log ended with the last of these rows."""
    return Pin(
        seq=rows[-1].seq,
        h=rows[-1].h,
        pseudonym=PSEUDONYM,
        root=root.root if root else None,
        keys=[RootKey(kid="0001", x=public("service"))],
    )
