"""How a key begins and ends: how long it is known before it is used, and what may be taken away.

docs/decisions/0015-keys-and-the-end.md has the table of purposes.
"""

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from msgspec import Struct

from store.keys import FOR_EVER, PURPOSES, SIGNING, HeldKeys, Purpose, write_new
from store.whole_files import sync_directory

# Every process looks into the directory every few seconds; the rest is for copying the file to other hosts.
LEAD: Final = timedelta(minutes=10)
# Who checks our signatures elsewhere fetches the public keys by and by; apps carry those of scanned codes
# from their release on and add what they fetch (mobile-contract/offline.md). Ours: no source says how long.
LEADS: Final[dict[Purpose, timedelta]] = {
    "consent-artefact": timedelta(days=1),
    "partner": timedelta(days=1),
    "paper": timedelta(days=1),
    "audit-root": timedelta(days=1),
    "qr": timedelta(days=30),
    "axis": timedelta(days=7),
}
# Why a key stays for as long as the installation, though a newer one took its place.
KEPT: Final[dict[Purpose, str]] = {
    "paper-reference": "papers printed under it are asked about for as long as they exist",
    "audit-root": "it vouches for the key that came after it",
}
# How long after its successor began something made with it may still be shown to us.
SHOWN_FOR: Final[dict[Purpose, timedelta]] = {
    "identification": timedelta(hours=1),
    "cursor": timedelta(hours=1),
    "axis": timedelta(days=7),
    "lookup": timedelta(days=35),
    "pepper": timedelta(days=91),
}
State = Literal["current", "coming", "older", "public-only"]


class KeyState(Struct, frozen=True):
    """One key of a purpose. starts_at: where a file says so."""

    purpose: Purpose
    key_id: str
    state: State
    starts_at: datetime | None


def states(directory: Path, now: datetime) -> list[KeyState]:
    """Every key of the directory, by purpose and age. Raises KeyRingError."""
    held, found = HeldKeys.read(directory), []
    for purpose in PURPOSES:
        private: set[str] = {*held.secrets.get(purpose, ()), *held.signers.get(purpose, ())}
        if purpose == "axis":
            private = {*held.axis}
        begun = [one for one in private if held.starts.get((purpose, one), now) <= now]
        current = max(begun, default=min(private, default=""))
        for key_id in sorted(private | {*held.public.get(purpose, ())}):
            starts_at = held.starts.get((purpose, key_id))
            state: State = "older"
            if key_id == current:
                state = "current"
            elif key_id not in private:
                state = "public-only"
            elif starts_at is not None and starts_at > now:
                state = "coming"
            found.append(KeyState(purpose, key_id, state, starts_at))
    return found


def current_since(found: list[KeyState], purpose: Purpose) -> datetime | None:
    """When the current key of a purpose began; None where it is the first, or nobody wrote it down."""
    return next(one.starts_at for one in found if one.purpose == purpose and one.state == "current")


def why_not_retired(found: list[KeyState], purpose: Purpose, key_id: str, now: datetime) -> str | None:
    """What speaks against taking a key away, as far as the directory tells; None: nothing does.

    Of field, lookup and pepper the caller asks the database besides.
    """
    one = next((one for one in found if (one.purpose, one.key_id) == (purpose, key_id)), None)
    if one is None or one.state == "public-only":
        return f"There is no {purpose} key {key_id}."
    if purpose in FOR_EVER:
        return f"The key for {purpose} is never changed."
    if one.state == "current":
        return f"{key_id} is the current {purpose} key; `healthbook admin add-key {purpose}` makes the next."
    if purpose in KEPT:
        return f"A {purpose} key stays: {KEPT[purpose]}."
    since = current_since(found, purpose)
    shown_for = SHOWN_FOR.get(purpose, timedelta(hours=1))
    if one.state == "older" and since is not None and now < since + shown_for:
        until = f"{since + shown_for:%Y-%m-%d %H:%M}"
        return f"What {key_id} made may be shown to us until {until} UTC. Try again then."
    return None


def retire(directory: Path, purpose: Purpose, key_id: str) -> None:
    """Take a key away; of a signer the public half stays, so that what it signed is still verified."""
    path = directory / f"{purpose}.{key_id}.key"
    if purpose in SIGNING:
        private = load_pem_private_key(path.read_bytes(), password=None)
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with contextlib.suppress(FileExistsError):
            write_new(directory / f"{purpose}.{key_id}.pub", pem)
    destroy(path)
    (directory / f"{purpose}.{key_id}.from").unlink(missing_ok=True)


def destroy(path: Path) -> None:
    """Overwrite a key file and remove it.

    On a disk that copies on write or levels its wear, in a snapshot or in a backup of the directory the old
    bytes can remain: those are destroyed with their medium (docs/runbook.md).
    """
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.write(os.urandom(size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_directory(path.parent)
