"""The offline verifier of roots and proofs: needs nothing but what was published and what somebody kept.

Each check answers None, or the first thing that does not hold: a Broken with a word of
audit/texts/verdicts.json, which says whether `at` is the number of a root or of a row.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

import msgspec

from audit.chain import link
from audit.roots.models import AuditRoots, LogProof, Pin, Root, RootKey, SignedRoot
from audit.roots.signing import holds_cosignature, holds_root, holds_voucher, leaf_data, root_id
from audit.roots.tree import holds_consistency, holds_inclusion, leaf_hash
from audit.verify import Broken


class NotCheckableError(Exception):
    """What the check needs is missing. reason: a word of audit/texts/verdicts.json, and its values."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason, values)
        self.reason, self.values = reason, values


def believed_keys(documents: Sequence[AuditRoots], pin: Pin | None) -> list[RootKey]:
    """The pinned keys and those that one of them vouches for, also through others; where nothing is pinned
    yet, every published one: the first check has nothing to hold them against."""
    published = [key for document in documents for key in document.keys]
    if pin is None or not pin.keys:
        return _each_once(published)
    believed = list(pin.keys)
    while fresh := [key for key in published if _is_vouched(key, believed)]:
        believed = _each_once([*believed, *fresh])
    return believed


def check_roots(documents: Sequence[AuditRoots], pin: Pin | None) -> Broken | None:
    """Roots from one or several places: signed by believed keys, chained, nowhere two states of one size."""
    keys = _each_once([key for document in documents for key in document.keys] + (pin.keys if pin else []))
    if len({key.kid for key in keys}) < len(keys):
        return Broken(0, "root-keys-differ")
    believed = believed_keys(documents, pin)
    strange = {key.kid for key in keys} - {key.kid for key in believed}
    published = [one for document in documents for one in document.roots]
    for one in published:
        if one.root.kid in strange:
            return Broken(one.root.number, "root-key-unvouched")
        if not holds_root(one, believed):
            return Broken(one.root.number, "root-signature-wrong")
    return _check_sequence(sorted((one.root for one in published), key=lambda root: root.number))


def check_proof(proof: LogProof, documents: Sequence[AuditRoots]) -> Broken | None:
    """One row, its path to the leaf, and the leaf under a published root."""
    root = proof.root.root
    found = _published(root.number, documents)
    if not found:
        raise NotCheckableError("roots-too-few", root=root.number, since=root.number - 1)
    if any(root_id(one.root) != root_id(root) for one in found):
        return Broken(root.number, "roots-fork")
    value = bytes.fromhex(proof.h)
    for seq, row in enumerate(proof.path, start=proof.seq + 1):
        value = link(value, seq, bytes.fromhex(row))
    leaf = proof.leaf
    if (value.hex(), proof.seq + len(proof.path), root.epoch) != (leaf.h, leaf.seq, leaf.epoch):
        return Broken(proof.seq, "proof-forged")
    steps = [bytes.fromhex(step) for step in proof.inclusion]
    hash_ = leaf_hash(leaf_data(leaf))
    if not holds_inclusion(hash_, proof.index, root.size, steps, bytes.fromhex(root.hash)):
        return Broken(leaf.seq, "proof-forged")
    return None


def check_pin(proof: LogProof, pin: Pin, restores: Iterable[datetime]) -> Broken | None:
    """That the proof's root continues the one that was kept. restores: when, as the log tells."""
    root, kept = proof.root.root, pin.root
    if pin.pseudonym not in (None, proof.leaf.pseudonym):
        return Broken(proof.leaf.seq, "another-person")
    if kept is None:
        return None
    if (kept.log, kept.epoch) != (root.log, root.epoch):
        # A restore begins a new log; what is kept of the old one is compared row by row. One that was over
        # when the root was kept began the log that was kept, and excuses no other.
        kept_at = msgspec.convert(kept.at, datetime)
        is_later = kept.epoch < root.epoch and any(at > kept_at for at in restores)
        return None if is_later else Broken(root.number, "root-rolled-back")
    if kept.number == root.number:
        return None if root_id(kept) == root_id(root) else Broken(root.number, "roots-fork")
    if kept.number > root.number or kept.size > root.size:
        return Broken(root.number, "root-rolled-back")
    return _check_continues(proof, kept)


def check_witness(proof: LogProof, documents: Sequence[AuditRoots], key: str) -> Broken | None:
    """That the holder of a key that one knows from elsewhere saw the proof's root."""
    root = proof.root.root
    said = [word for one in [proof.root, *_published(root.number, documents)] for word in one.witnesses]
    if not said:
        raise NotCheckableError("no-witness-yet", root=root.number)
    is_seen = any(holds_cosignature(root, word, key) for word in said)
    return None if is_seen else Broken(root.number, "root-not-witnessed")


def _is_vouched(key: RootKey, believed: Sequence[RootKey]) -> bool:
    if any(one.kid == key.kid for one in believed):
        return False
    return any(holds_voucher(key, said, by) for said in key.vouchers for by in believed)


def _each_once(keys: Iterable[RootKey]) -> list[RootKey]:
    """Without the vouchers, which served their turn."""
    return [RootKey(kid=kid, x=x) for kid, x in dict.fromkeys((key.kid, key.x) for key in keys)]


def _check_continues(proof: LogProof, kept: Root) -> Broken | None:
    root, pinned = proof.root.root, proof.pinned
    if pinned is None:
        raise NotCheckableError("export-not-continuing", root=kept.number)
    if root_id(pinned.root) != root_id(kept):
        return Broken(kept.number, "roots-fork")
    steps = [bytes.fromhex(step) for step in proof.consistency]
    was, now = bytes.fromhex(kept.hash), bytes.fromhex(root.hash)
    if not holds_consistency(kept.size, root.size, steps, was, now):
        return Broken(root.number, "root-continues-nothing")
    return None


def _check_sequence(roots: Sequence[Root]) -> Broken | None:
    """roots: in the order of their numbers; one that was got from two places stands there twice."""
    states = {(root.log, root.size): root.hash for root in roots}
    for root in roots:
        if states[root.log, root.size] != root.hash:
            return Broken(root.number, "roots-fork")
    for before, after in pairwise(roots):
        if before.number == after.number and root_id(before) != root_id(after):
            return Broken(after.number, "roots-fork")
        if before.number + 1 == after.number and after.prev != root_id(before):
            return Broken(after.number, "root-chain-broken")
        if before.log == after.log and before.size > after.size:
            return Broken(after.number, "root-rolled-back")
    return None


def _published(number: int, documents: Iterable[AuditRoots]) -> list[SignedRoot]:
    return [one for document in documents for one in document.roots if one.root.number == number]
