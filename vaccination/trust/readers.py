"""Lists of trusted keys in the forms that others publish, read strictly: one false entry and the list is
refused (security.md S29). No address in it is followed.

eu     items {kid, country, certificateType, rawData} of the European gateway; alone, in {"certificates": []},
       or behind a first line with a signature over the rest, as national mirrors publish it
did    a did:web document of the WHO's trust network: verificationMethod[].publicKeyJwk with x5c
jwks   a health card issuer's keys (SMART Health Cards 1.4.0)
plain  {kid: certificate}, and PEM: by hand, offline
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from vaccination.trust.certificates import CertificateError, country_of, kid_of, read_certificate
from vaccination.trust.jwks import JwkError, card_key
from vaccination.trust.models import CardRevocations, ListedKeys, TrustedKey

BYTES_MAX: Final = 8 * 1024 * 1024
KEYS_MAX: Final = 20_000
_PEM: Final = b"-----BEGIN CERTIFICATE-----"
_PARTICIPANT: Final = re.compile(r":([A-Z]{3}):[A-Z]+(?:#|\Z)")
_RID: Final = re.compile(r"([A-Za-z0-9_-]{1,24})(?:\.([0-9]{1,12}))?\Z")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{80,700}={0,2}\Z")

ListReason = Literal[
    "too-large",
    "form",
    "certificate",
    "kid",
    "other-country",
    "no-country",
    "empty",
    "key",
    "revocation-list",
]


class ListError(Exception):
    """A list that is not taken. The text is the reason, and for a key set the rule that it breaks."""

    def __init__(self, reason: ListReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def read_list(data: bytes, issuer: str | None = None) -> ListedKeys:
    """Any of the forms, told by its content. issuer: whose key set this is. Raises ListError."""
    if len(data) > BYTES_MAX:
        raise ListError("too-large")
    if _PEM in data[:2000]:
        return _checked(_pem(data))
    first, _, rest = data.partition(b"\n")
    if _BASE64.match(first.strip()) and rest:
        return _checked(_eu(_json(rest), signed=rest, signature=base64.b64decode(first.strip())))
    document = _json(data)
    if isinstance(document, dict) and isinstance(document.get("verificationMethod"), list):
        return _checked(_did(document))
    if isinstance(document, dict) and isinstance(document.get("keys"), list):
        return _checked(_jwks(document["keys"], issuer))
    if isinstance(document, list) or (isinstance(document, dict) and "certificates" in document):
        return _checked(_eu(document))
    return _checked(_plain(document))


def read_card_revocations(data: bytes, crl_version: int | None = None) -> CardRevocations:
    """A health card issuer's list of revoked cards. crl_version: what its key set says its `ctr` is. Raises
    ListError."""
    document = _json(data) if len(data) <= BYTES_MAX else None
    match document:
        case {"kid": str() as kid, "method": "rid", "ctr": int() as changes, "rids": [*rids]}:
            found = [_RID.match(rid) if isinstance(rid, str) else None for rid in rids]
        case _:
            raise ListError("revocation-list", "form")
    named = {one[1]: None if one[2] is None else int(one[2]) for one in found if one is not None}
    if len(named) != len(rids):
        raise ListError("revocation-list", "rids")
    if crl_version is not None and crl_version != changes:
        raise ListError("revocation-list", "version")
    return CardRevocations(kid, changes, named)


def _checked(listed: ListedKeys) -> ListedKeys:
    if not listed.keys:
        raise ListError("empty")
    if len(listed.keys) > KEYS_MAX:
        raise ListError("too-large")
    return listed


def _json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise ListError("form") from None


def _der(text: object) -> bytes:
    if not isinstance(text, str):
        raise ListError("certificate")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ListError("certificate") from None


def _trusted(der: bytes, kid: str | None, country: str | None) -> TrustedKey:
    """A certificate of a list. A kid or a country beside it has to be its own."""
    try:
        read = read_certificate(der)
    except CertificateError:
        raise ListError("certificate") from None
    if kid is not None and kid != read.kid:
        raise ListError("kid")
    if country is not None and read.country not in (None, country_of(country)):
        raise ListError("other-country")
    return read.trusted(country=None if country is None else country_of(country))


def _eu(document: Any, signed: bytes | None = None, signature: bytes | None = None) -> ListedKeys:
    head = document if isinstance(document, dict) else {}
    items = head.get("certificates") if isinstance(document, dict) else document
    if not isinstance(items, list):
        raise ListError("form")
    version = head.get("version")
    return ListedKeys(
        form="eu",
        keys=tuple(_eu_keys(items)),
        version=version if isinstance(version, int) and not isinstance(version, bool) else None,
        issued_at=_instant(head.get("issued_at")),
        signed=signed,
        signature=signature,
    )


def _eu_keys(items: list[Any]) -> Iterator[TrustedKey]:
    """The document signers; authorities and uploaders stand in the same list."""
    for item in items:
        match item:
            case {
                "certificateType": "DSC",
                "country": str() as country,
                "kid": str() as kid,
                "rawData": data,
            }:
                yield _trusted(_der(data), kid, country)
            case {"certificateType": str() as kind} if kind != "DSC":
                continue
            case _:
                raise ListError("form")


def _did(document: dict[str, Any]) -> ListedKeys:
    methods = document["verificationMethod"]
    proof = document.get("proof")
    proofs = proof if isinstance(proof, list) else [proof]
    created = [made for one in proofs if isinstance(one, dict) and (made := _instant(one.get("created")))]
    return ListedKeys(form="did", keys=tuple(_did_keys(methods)), issued_at=max(created, default=None))


def _did_keys(methods: list[Any]) -> Iterator[TrustedKey]:
    """Keys with their certificate: without one nobody can tell whose they are. Authorities are left out."""
    for method in methods:
        match method:
            case str():
                continue
            case {"id": str() as name, "publicKeyJwk": {"x5c": [leaf, *_], **jwk}}:
                if ":SCA" not in name:
                    yield _of_jwk(_der(leaf), jwk, _country_in(name))
            case {"publicKeyJwk": {**_rest}}:
                continue
            case _:
                raise ListError("form")


def _country_in(name: str) -> str | None:
    """The country in a method's name (`…:trustlist:-:DEU:DSC#…`); None for `-` and the network's own codes
    of who is no country."""
    found = _PARTICIPANT.search(name)
    return None if found is None else _alpha_2().get(found[1])


@cache
def _alpha_2() -> dict[str, str]:
    read: dict[str, dict[str, str]] = json.loads(
        files("vaccination.trust").joinpath("countries.json").read_bytes()
    )
    return read["codes"]


def _of_jwk(der: bytes, jwk: dict[Any, Any], country: str | None) -> TrustedKey:
    if "d" in jwk:
        raise ListError("key", "private")
    kid = jwk.get("kid")
    trusted = _trusted(der, None, country)
    if isinstance(kid, str) and kid not in (trusted.kid, trusted.kid.rstrip("=")):
        raise ListError("kid")
    return trusted


def _jwks(items: list[Any], issuer: str | None) -> ListedKeys:
    keys: list[TrustedKey] = []
    versions: dict[str, int] = {}
    for item in items:
        try:
            key = card_key(item, issuer)
        except JwkError as error:
            raise ListError("key", str(error)) from None
        keys.append(key)
        if isinstance(version := item.get("crlVersion"), int):
            versions[key.kid] = version
    return ListedKeys(form="jwks", keys=tuple(keys), crl_versions=versions)


def _plain(document: Any) -> ListedKeys:
    if not isinstance(document, dict) or len(document) > KEYS_MAX:
        raise ListError("form")
    return ListedKeys(
        form="plain", keys=tuple(_trusted(_der(der), kid, None) for kid, der in document.items())
    )


def _pem(data: bytes) -> ListedKeys:
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ListError("certificate") from None
    ders = [one.public_bytes(Encoding.DER) for one in found]
    return ListedKeys(form="pem", keys=tuple(_trusted(der, kid_of(der), None) for der in ders))


def _instant(value: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None
