"""Sealing to public recipients with age (age-encryption.org/v1, X25519).

Who seals holds recipients alone and opens nothing, not even what it sealed itself; identities stay offline
until something is opened. The only module that imports pyrage.
"""

import os
from pathlib import Path

import pyrage
from pyrage.x25519 import Identity, Recipient

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how an identity begins, as age's own files have it


class SealError(Exception):
    """A recipient or an identity cannot be read, or something is not sealed to it. Never quotes either."""


def read_recipients(texts: list[str]) -> list[Recipient]:
    """`age1…`, each. Raises SealError with the place in the list."""
    found = []
    for place, text in enumerate(texts, start=1):
        try:
            found.append(Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise SealError(f"recipient {place} is no public key of age (age1…)") from error
    return found


def read_identities(path: Path) -> list[Identity]:
    """The identities of a file as `age-keygen` writes it. Raises SealError; OSError where there is none."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    try:
        found = [Identity.from_str(line) for line in lines if line.startswith(_SECRET)]
    except pyrage.IdentityError as error:
        raise SealError(f"{path} holds something that is no identity of age") from error
    if not found:
        raise SealError(f"{path} holds no identity of age ({_SECRET}…)")
    return found


def make_identity(path: Path) -> str:
    """A new identity in a new file (0600), and its recipient. Raises OSError where the file is there."""
    made = Identity.generate()
    recipient = str(made.to_public())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"# public key: {recipient}\n{made}\n")
        file.flush()
        os.fsync(file.fileno())
    return recipient


def seal(data: bytes, recipients: list[Recipient]) -> bytes:
    """Sealed to each of them. Raises SealError where there is nobody."""
    if not recipients:
        raise SealError("there is no recipient")
    return pyrage.encrypt(data, recipients)


def unseal(data: bytes, identities: list[Identity]) -> bytes:
    """The clear bytes, whole and unchanged. Raises SealError where they are not, or for somebody else."""
    try:
        return pyrage.decrypt(data, identities)
    except pyrage.DecryptError as error:
        raise SealError("it is not sealed to this identity, or it was changed") from error
