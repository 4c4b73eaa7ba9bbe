"""What `healthbook certificates keys` does with files and an open store."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from healthbook.commands import Signed, pages_of_people, sign_act
from kernel.clock import SystemClock
from store.database import Store
from store.outbox import emit
from vaccination.certificates import following as certificates
from vaccination.hc1.claims import COUNTRY, DEMO_COUNTRY
from vaccination.shc import following as cards
from vaccination.signer import enrolment
from vaccination.signer.authority import certify, make_authority, make_request
from vaccination.signer.key_files import SignerKeys, make_key, purpose_of
from vaccination.signer.keys import document_signers, revoked_signers
from vaccination.signer.models import Algorithm, DocumentSigner
from vaccination.signer.ports import SignerPurpose
from vaccination.signer.reconciling import Reconciled, reconcile

T = TypeVar("T")

AUTHORITY_KEY: Final = "authority.key"
AUTHORITY_CERTIFICATE: Final = "authority.pem"


class KeyCommandError(Exception):
    """It was not done; the text says why, in plain words."""


def make_authority_in(directory: Path, name: str) -> Path:
    """A signing authority's key and certificate, in a new directory. Returns the certificate."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, certificate = make_authority(name, SystemClock().now())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(directory / AUTHORITY_KEY, pem, 0o600)
    _write_new(directory / AUTHORITY_CERTIFICATE, certificate.public_bytes(Encoding.PEM), 0o644)
    return directory / AUTHORITY_CERTIFICATE


def make_signer_key(
    directory: Path, purpose: SignerPurpose, alg: Algorithm, name: str, *, demo: bool
) -> Path:
    """A key in the signer's directory, and the request for its certificate beside it, which beside a demo's
    keys asks for a demo's. Returns the request."""
    if purpose == "shc" and alg != "ES256":
        raise KeyCommandError("Health cards are signed with ES256 alone.")
    key_id = make_key(directory, purpose, alg, demo=demo)
    held = SignerKeys.load(directory)
    request = make_request(held.key(key_id), name, DEMO_COUNTRY if held.demo else COUNTRY)
    path = directory / f"{key_id}.csr"
    _write_new(path, request.public_bytes(Encoding.PEM), 0o644)
    return path


def certify_request(request: Path, authority: Path, out: Path) -> None:
    """What the authority does with a request; the file's name says which key it is for."""
    asked = _read(x509.load_pem_x509_csr, request)
    above = _read(x509.load_pem_x509_certificate, authority / AUTHORITY_CERTIFICATE)
    key = load_pem_private_key((authority / AUTHORITY_KEY).read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyCommandError(f"{authority / AUTHORITY_KEY} is no P-256 key.")
    made = certify(asked, purpose_of(request.stem), above, key, SystemClock().now())
    _write_new(out, made.public_bytes(Encoding.PEM), 0o644)


async def enrol_key(
    store: Store, key_id: str, certificate: Path, authority: Path, daily_budget: int, signed: Signed
) -> DocumentSigner:
    """Take a certified key into use. Raises KeyCommandError."""
    made = _read(x509.load_pem_x509_certificate, certificate)
    above = _read(x509.load_pem_x509_certificate, authority)
    async with store.transaction() as tx:
        if any(one.key_id == key_id for one in await document_signers(tx)):
            raise KeyCommandError(f"{key_id} is in use already, or was.")
        signer = await enrolment.enrol(tx, key_id, made, above, daily_budget, SystemClock().now())
        await sign_act(tx, signed, f"certificates:enrol-{key_id}", daily_budget)
    return signer


async def retire_key(store: Store, key_id: str, signed: Signed) -> None:
    """Sign nothing more with a key. Raises KeyCommandError."""
    async with store.transaction() as tx:
        if not await enrolment.retire(tx, key_id, SystemClock().now()):
            raise KeyCommandError(f"No key {key_id} is in use.")
        await sign_act(tx, signed, f"certificates:retire-{key_id}", 1)


async def revoke_key(store: Store, key_id: str, signed: Signed) -> None:
    """Nothing that a key signed counts any more. Once more changes nothing. Raises KeyCommandError."""
    async with store.transaction() as tx:
        if key_id not in {one.key_id for one in await document_signers(tx)}:
            raise KeyCommandError(f"There is no key {key_id}.")
        if await enrolment.revoke(tx, key_id, SystemClock().now()):
            await sign_act(tx, signed, f"certificates:revoke-key-{key_id}", 1)


async def follow_keys(store: Store, advance: Callable[[int], None], now: datetime) -> int:
    """Have the worker end what people hold under keys that count no more; how many hold something."""
    count = 0
    async for page in pages_of_people(store):
        async with store.transaction() as tx:
            lost = await revoked_signers(tx)
            held = [one for one in page if await certificates.is_held(tx, one, lost, now)]
            held += [one for one in page if one not in held and await cards.is_held(tx, one, lost)]
            for person in held:
                await emit(tx, person, "vaccination.key-revoked", {}, now)
        count += len(held)
        advance(len(page))
    return count


async def set_key_budget(store: Store, key_id: str, daily_budget: int, signed: Signed) -> None:
    """How many signatures a day a key gives. Raises KeyCommandError."""
    async with store.transaction() as tx:
        if not await enrolment.set_budget(tx, key_id, daily_budget):
            raise KeyCommandError(f"There is no key {key_id}.")
        await sign_act(tx, signed, f"certificates:budget-{key_id}", daily_budget)


async def list_keys(store: Store) -> list[str]:
    """One line a key, the retired and revoked ones too."""
    async with store.transaction() as tx:
        return [_line(one) for one in await document_signers(tx)]


async def reconcile_days(store: Store, days: int) -> Reconciled:
    now = SystemClock().now()
    async with store.transaction() as tx:
        return await reconcile(tx, now - timedelta(days=days), now)


def told(found: Reconciled) -> Sequence[str]:
    """What a look through the signatures found, line by line."""
    lines = [f"{found.signatures} signatures, {found.rows} issuances that were signed"]
    for one in found.strays:
        what = f"issuance {one.issuance_id}" if one.issuance_id else f"row {one.seq} of the log"
        lines.append(f"{one.fault}: {what}")
    return lines


def _line(one: DocumentSigner) -> str:
    return f"{one.key_id}  {one.alg}  kid {one.kid_text}  {_state(one)}  {one.daily_budget} a day"


def _state(one: DocumentSigner) -> str:
    if one.revoked_at:
        return f"revoked {one.revoked_at:%Y-%m-%d}, counts no more"
    until = f"holds until {one.not_after:%Y-%m-%d}"
    if one.retired_at:
        return f"retired {one.retired_at:%Y-%m-%d}, {until}"
    return f"signs until {one.sign_until:%Y-%m-%d}, {until}"


def _read(load: Callable[[bytes], T], path: Path) -> T:
    try:
        return load(path.read_bytes())
    except ValueError:
        raise KeyCommandError(
            f"{path} is not what it should be: PEM, of a certificate or a request."
        ) from None


def _write_new(path: Path, data: bytes, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
