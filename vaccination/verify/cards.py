"""Opening a SMART Health Card: numeric code, JWS, raw DEFLATE, claims (the framework 1.4.0)."""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from vaccination.revocation.hashes import card_hashes
from vaccination.revocation.models import Hashes
from vaccination.verify.models import Holder, Status, Step, StepName
from vaccination.verify.models import Statement as Said
from vaccination.verify.reading import Reading, failed, mapping, number_of, passed, text_of
from vaccination.verify.signatures import ES256

PREFIX: Final = "shc:/"
# A file holds cards longer than a code does; none comes near this.
TEXT_MAX: Final = 65_536
INFLATED_MAX: Final = 524_288
STATEMENTS_MAX: Final = 50
CARD_TYPE: Final = "https://smarthealth.cards#health-card"
_JWS: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\Z")
_CHUNK: Final = re.compile(r"([0-9]{1,3})/([0-9]{1,3})/(.*)\Z", re.S)
_DIGITS: Final = re.compile(r"[0-9]+\Z")
_RID: Final = re.compile(r"[A-Za-z0-9_-]{1,24}\Z")
# Each pair of digits is a character of a JWS less this; `z` is the last of them.
_OFFSET: Final = 45
_PAIR_MAX: Final = ord("z") - _OFFSET
_SIGNATURE_BYTES: Final = 64


class _CardError(Exception):
    def __init__(self, step: StepName, status: Status, *notes: str) -> None:
        super().__init__(step)
        self.failed = failed(step, status, *notes)


def is_card(text: str) -> bool:
    """Whether to read it as a card: its prefix, or a JWS itself."""
    return text.startswith(PREFIX) or _JWS.match(text) is not None


def read(text: str) -> Reading:
    """Never raises, whatever the text holds."""
    steps: list[Step] = []
    try:
        return _read(text, steps)
    except _CardError as error:
        return Reading(format="shc", steps=(*steps, error.failed))


def _read(text: str, steps: list[Step]) -> Reading:
    if len(text) > TEXT_MAX:
        raise _CardError("prefix", "NOT_SUPPORTED", "too-long")
    jws, notes = _from_code(text) if text.startswith(PREFIX) else (text, [])
    steps.append(passed("prefix", notes))
    parts = _JWS.match(jws)
    if parts is None:
        raise _CardError("encoding", "INVALID_ENCODING")
    head, payload, signature = (_unbase64(part) for part in parts.groups())
    steps.append(passed("encoding"))
    kid = _kid(head, signature)
    steps.append(passed("envelope"))
    inflated = _inflate(payload)
    steps.append(passed("compression"))
    claims = _claims(inflated)
    steps.append(passed("claims"))
    return _whole(claims, kid, jws.rpartition(".")[0].encode(), signature, tuple(steps))


def _from_code(text: str) -> tuple[str, list[str]]:
    """The JWS of a numeric code. Codes of several parts are no longer made, and not put together here."""
    body, notes = text[len(PREFIX) :], []
    chunk = _CHUNK.match(body)
    if chunk is not None:
        if chunk[2] != "1":
            raise _CardError("prefix", "NOT_SUPPORTED", "one-of-several")
        body, notes = chunk[3], ["part-number"]
    if not _DIGITS.match(body) or len(body) % 2:
        raise _CardError("encoding", "INVALID_ENCODING", "digits")
    values = [int(body[at : at + 2]) for at in range(0, len(body), 2)]
    if max(values) > _PAIR_MAX:
        raise _CardError("encoding", "INVALID_ENCODING", "number-too-large")
    return "".join(chr(value + _OFFSET) for value in values), notes


def _unbase64(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _CardError("encoding", "INVALID_ENCODING") from None


def _kid(head: bytes, signature: bytes) -> str | None:
    header = _json(head)
    if not isinstance(header, dict):
        raise _CardError("envelope", "INVALID_SIGNING_FORMAT", "header")
    if header.get("alg") != "ES256":
        raise _CardError("envelope", "NOT_SUPPORTED", "algorithm")
    # Cards name no type; another one of the same key is no card (security.md S28).
    if header.get("typ", "JWT") != "JWT":
        raise _CardError("envelope", "INVALID_SIGNING_FORMAT", "type")
    if header.get("zip") != "DEF":
        raise _CardError("envelope", "INVALID_SIGNING_FORMAT", "zip")
    if len(signature) != _SIGNATURE_BYTES:
        # DER, as libraries make it unless told otherwise.
        raise _CardError("envelope", "INVALID_SIGNING_FORMAT", "signature-form")
    return text_of(header.get("kid"))


def _inflate(packed: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        data = stream.decompress(packed, INFLATED_MAX)
    except zlib.error:
        raise _CardError("compression", "INVALID_COMPRESSION") from None
    if not stream.eof or stream.unused_data:
        raise _CardError("compression", "INVALID_COMPRESSION")
    return data


def _json(data: bytes) -> Any:
    """None for what is no JSON; nesting without end is none either."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return None


def _claims(data: bytes) -> dict[str, Any]:
    claims = _json(data)
    if not isinstance(claims, dict):
        raise _CardError("claims", "INVALID_SIGNING_FORMAT", "payload")
    vc = mapping(claims.get("vc"))
    types = vc.get("type")
    subject = mapping(vc.get("credentialSubject"))
    wanted = {
        "iss": text_of(claims.get("iss")) is not None,
        "nbf": number_of(claims.get("nbf")) is not None,
        "exp": "exp" not in claims or number_of(claims["exp"]) is not None,
        "type": isinstance(types, list) and CARD_TYPE in types,
        "bundle": isinstance(subject.get("fhirBundle"), dict),
    }
    missing = [name for name, is_there in wanted.items() if not is_there]
    if missing:
        raise _CardError("claims", "NOT_SUPPORTED", *missing)
    return claims


def _whole(claims: dict[str, Any], kid: str | None, signed: bytes, signature: bytes, steps: Any) -> Reading:
    bundle = claims["vc"]["credentialSubject"]["fhirBundle"]
    nbf = number_of(claims["nbf"])
    rid = claims["vc"].get("rid")
    hashes: tuple[Hashes, ...] = (card_hashes(rid),) if isinstance(rid, str) and _RID.match(rid) else ()
    return Reading(
        format="shc",
        steps=steps,
        is_whole=True,
        algorithm=ES256,
        kid=kid,
        signed=signed,
        signature=signature,
        issuer=text_of(claims["iss"]),
        issued_at=nbf,
        starts_at=nbf,
        expires_at=number_of(claims.get("exp")),
        hashes=hashes,
        rid=rid if hashes else None,
        holder=_holder(bundle),
        statements=tuple(_statements(bundle)),
        schema_faults=tuple(_faults(claims, bundle)),
    )


def _resources(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = bundle.get("entry")
    for entry in listed if isinstance(listed, list) else ():
        resource = mapping(entry).get("resource")
        if isinstance(resource, dict):
            yield resource


def _faults(claims: dict[str, Any], bundle: dict[str, Any]) -> Iterator[str]:
    issuer = claims["iss"]
    if not issuer.startswith("https://") or issuer.endswith("/"):
        yield "iss"
    if not str(mapping(claims["vc"]["credentialSubject"]).get("fhirVersion")).startswith("4.0."):
        yield "fhirVersion"
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "collection":
        yield "bundle.type"
    listed = bundle.get("entry")
    urls = [mapping(entry).get("fullUrl") for entry in listed] if isinstance(listed, list) else []
    if urls != [f"resource:{number}" for number in range(len(urls))]:
        yield "entry.fullUrl"
    if len([one for one in _resources(bundle) if one.get("resourceType") == "Patient"]) != 1:
        yield "patient"
    if any("id" in one or "text" in one for one in _resources(bundle)):
        yield "entry.resource"


def _holder(bundle: dict[str, Any]) -> Holder | None:
    patient = next((one for one in _resources(bundle) if one.get("resourceType") == "Patient"), None)
    if patient is None:
        return None
    names = patient.get("name")
    name = mapping(names[0]) if isinstance(names, list) and names else {}
    given = name.get("given")
    words = [word for word in given if isinstance(word, str)] if isinstance(given, list) else []
    return Holder(
        family_name=text_of(name.get("family")),
        given_name=text_of(" ".join(words)) or None,
        birth_date=text_of(patient.get("birthDate")),
    )


def _statements(bundle: dict[str, Any]) -> Iterator[Said]:
    given = (one for one in _resources(bundle) if one.get("resourceType") == "Immunization")
    for _, one in zip(range(STATEMENTS_MAX), given, strict=False):
        codings = mapping(one.get("vaccineCode")).get("coding")
        coding = mapping(codings[0]) if isinstance(codings, list) and codings else {}
        performers = one.get("performer")
        performer = mapping(performers[0]) if isinstance(performers, list) and performers else {}
        yield Said(
            kind="vaccination",
            vaccine=text_of(coding.get("code")),
            occurred=text_of(one.get("occurrenceDateTime")),
            issuer=text_of(mapping(performer.get("actor")).get("display")),
        )
