"""What lies in a hand-over, and how it is signed.

hand-over.jws             compact JWS (ES256, typ ssk-hand-over+jws, key `partner`) over the JSON of HandOver
lists/NAME.ndjson         which sealed files there are, a HandedFile a line; HandOver has the digest of each
people/AA/ID/rows.zip.age a file of lines (.ndjson) for each table that holds something of that person
people/AA/ID/BLOB.age     a document or picture of that person
others/AA/ID/…            the same of ids that are no citizen: staff, people who were erased, unknown subjects
tables/NAME/N.ndjson.age  the rows of a table that is nobody's: registers, roots of the log, operators' acts
public.zip.age            public keys of every signer, and the roots as the service published them
receipt.age               bytes of chance, for the receipt of whoever opened every file

Each .age file is sealed to the receiver's recipients (age-encryption.org/v1). Nobody else opens one, and no
digest of what is inside stands beside it: that would answer every guess at a record.
"""

import hashlib
import hmac
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from msgspec import Struct

from store.keys import KeyRing

SIGNED: Final = "hand-over.jws"
LISTS: Final = "lists"
PEOPLE: Final = "people"
OTHERS: Final = "others"
ROWS: Final = "rows.zip"
TABLES: Final = "tables"
PUBLIC: Final = "public.zip.age"
RECEIPT: Final = "receipt.age"
TYP: Final = "ssk-hand-over+jws"
DESTROYED_TYP: Final = "ssk-destroyed+jws"
_ALG: Final = "ES256"
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_.-]+")


class HandOverError(Exception):
    """It is not what it says to be; the text says where, in plain words."""


class HandedFile(Struct, frozen=True):
    """A sealed file. sha256 and length of what is sealed."""

    name: str
    length: int
    sha256: str


class HandOver(Struct, frozen=True, kw_only=True):
    """What is signed. people, others: archives. files: how many. lists: SHA-256 of each list by its name.

    held: how many rows each table had; rows: how many of them are handed over. left_out: tables whose rows,
    and columns (`TABLE.COLUMN`) whose cells are not, and why. blobs: documents and pictures; lost_blobs:
    those that no row leads to, so that nobody opened them here either. key: the public half that signed it.
    """

    v: int
    installation_since: datetime
    closed_at: datetime
    made_at: datetime
    made_by: str
    recipients: list[str]
    people: int
    others: int
    blobs: int
    lost_blobs: int
    files: int
    held: dict[str, int]
    rows: dict[str, int]
    left_out: dict[str, str]
    lists: dict[str, str]
    key: dict[str, str]


class Destroyed(Struct, frozen=True, kw_only=True):
    """The certificate of destruction. hand_over: SHA-256 of what was handed over. receipt: what its receiver
    told. what: name and count."""

    v: int
    hand_over: str
    receipt: str
    at: datetime
    by: str
    what: dict[str, int]


def sign(keys: KeyRing, typ: str, said: Struct) -> str:
    """A compact JWS over the JSON of what is said."""
    key_id, private = keys.signer("partner")
    header = {"alg": _ALG, "kid": key_id, "typ": typ}
    key = ECKey.import_key(private)  # type: ignore[arg-type]
    return jws.serialize_compact(header, msgspec.json.encode(said), key, [_ALG])


def public_jwk(keys: KeyRing) -> dict[str, str]:
    """The public half of what `sign` signs with."""
    key_id, private = keys.signer("partner")
    key = ECKey.import_key(private)  # type: ignore[arg-type]
    return {**{name: str(value) for name, value in key.as_dict(private=False).items()}, "kid": key_id}


def read_signed(directory: Path) -> tuple[HandOver, str]:
    """What was signed, by the key that it names, and that key's thumbprint (RFC 7638): compare it with what
    the sender tells on another way. Raises HandOverError."""
    try:
        text = (directory / SIGNED).read_text()
        said = msgspec.json.decode(jws.extract_compact(text.encode()).payload, type=HandOver)
        key = ECKey.import_key(dict(said.key))
        opened = jws.deserialize_compact(text, key, [_ALG])
    except (OSError, ValueError, JoseError, msgspec.MsgspecError) as error:
        raise HandOverError(
            f"{SIGNED} is missing, or its signature does not hold ({type(error).__name__})."
        ) from error
    if opened.headers().get("typ") != TYP:
        raise HandOverError(f"{SIGNED} is signed, but is no hand-over.")
    return said, key.thumbprint()


def digest_of(directory: Path) -> str:
    """By which both sides name a hand-over: SHA-256 of the signed text."""
    return hashlib.sha256((directory / SIGNED).read_bytes()).hexdigest()


def listed(directory: Path, said: HandOver) -> Iterator[HandedFile]:
    """Every file of every list. Raises HandOverError for a list that is not the signed one."""
    return (one for files in listed_apart(directory, said) for one in files)


def listed_apart(directory: Path, said: HandOver) -> Iterator[list[HandedFile]]:
    """As `listed`, for each list its own, by the lists' names: all of them at once are gigabytes."""
    lists = sorted(said.lists.items())
    if (count := sum(len(read_list(directory, *one)) for one in lists)) != said.files:
        raise HandOverError(f"{said.files} files are signed, {count} are listed.")
    return (read_list(directory, *one) for one in lists)


def receipt_of(directory: Path, secret: bytes, opened: Iterable[bytes]) -> str:
    """What a receiver tells who opened everything. secret: of RECEIPT. opened: for each list by its name,
    SHA-256 over the SHA-256 of what is in each of its files. Short enough to be read out: 128 bits."""
    of = b"".join([bytes.fromhex(digest_of(directory)), *opened])
    return hmac.new(secret, of, hashlib.sha256).hexdigest()[:32]


def noted(directory: Path, receipt: str) -> bytes:
    """What the sender keeps, to know the receipt of this hand-over again: it cannot be told from that."""
    return hashlib.sha256(f"{digest_of(directory)} {receipt}".encode()).digest()


def read_list(directory: Path, name: str, sha256: str | None) -> list[HandedFile]:
    """The files of one list; sha256: None where it is not signed yet."""
    try:
        data = (directory / LISTS / name).read_bytes()
    except OSError as error:
        raise HandOverError(f"{LISTS}/{name} is missing.") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise HandOverError(f"{LISTS}/{name} was changed.")
    files = [msgspec.json.decode(line, type=HandedFile) for line in data.splitlines()]
    for one in files:
        if _NAME.fullmatch(one.name) is None or ".." in one.name:
            raise HandOverError(f"{LISTS}/{name} names a file outside of the hand-over.")
    return files


def refuse_missing(held: Mapping[str, int], rows: Mapping[str, int], left_out: Container[str]) -> None:
    """Raises HandOverError where a table held other rows than were handed over."""
    for table, count in sorted(held.items()):
        if table not in left_out and rows.get(table, 0) != count:
            raise HandOverError(f"{table} held {count} rows, and {rows.get(table, 0)} are handed over.")


def as_lines(rows: list[Any]) -> bytes:
    return b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in rows)
