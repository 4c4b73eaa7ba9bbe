"""Opening an HC1 certificate: prefix, base45, zlib, COSE, claims (hcert-spec 1.0.8; vaccination.md §4)."""

import base64
from typing import Any, Final

from msgspec.structs import replace

from qr import base45
from vaccination.hc1 import cbor, cose
from vaccination.hc1.claims import EU_DCC, EXPIRES, HCERT, ISSUED, ISSUER
from vaccination.revocation.hashes import hashes_of
from vaccination.revocation.models import Hashes
from vaccination.trust.certificates import country_of
from vaccination.trust.models import Use
from vaccination.verify import dcc_schema
from vaccination.verify.models import Holder, StatementKind, Status, Step, StepName
from vaccination.verify.models import Statement as Said
from vaccination.verify.reading import Reading, count_of, failed, mapping, number_of, passed, text_of
from vaccination.verify.signatures import NAMES

NOT_BEFORE: Final = 5
# A kid has 8 bytes; longer ones than any in the field are not looked for.
_KID_BYTES_MAX: Final = 64
_USES: Final[dict[str, Use]] = {"v": "v", "t": "t", "r": "r"}
_KINDS: Final[dict[str, StatementKind]] = {"v": "vaccination", "t": "test", "r": "recovery"}
_STATEMENTS_MAX: Final = 20

Opened = tuple[cose.Parsed | None, tuple[Step, ...]]


def read(text: str) -> Reading:
    """Never raises, whatever the text holds. A text is taken as it is: base45 has spaces."""
    envelope, steps = open_envelope(text)
    if envelope is None:
        return Reading(format="hc1", steps=steps)
    return read_claims(envelope, steps)


def open_envelope(text: str) -> Opened:
    steps: list[Step] = []
    if not text.startswith(cose.PREFIX) or len(text) > cose.TEXT_MAX:
        return None, (failed("prefix", "NOT_SUPPORTED"),)
    steps.append(passed("prefix"))
    try:
        packed = base45.decode(text[len(cose.PREFIX) :])
    except ValueError:
        return None, (*steps, failed("encoding", "INVALID_ENCODING"))
    steps.append(passed("encoding"))
    layer: StepName = "compression"
    status: Status = "INVALID_COMPRESSION"
    try:
        data = cose.inflate(packed)
        steps.append(passed(layer))
        layer, status = "envelope", "INVALID_SIGNING_FORMAT"
        envelope = cose.open_cose(data)
    except cose.UnreadableError:
        return None, (*steps, failed(layer, status))
    return envelope, (*steps, passed("envelope", [] if envelope.tags == (cose.SIGN1_TAG,) else ["tags"]))


def read_claims(envelope: cose.Parsed, steps: tuple[Step, ...] = ()) -> Reading:
    """The claims of an envelope and what they say."""
    algorithm = envelope.alg
    if not _is_algorithm(algorithm):
        return Reading(format="hc1", steps=(*steps, failed("claims", "NOT_SUPPORTED", "algorithm")))
    try:
        claims = cbor.decode(envelope.payload)
    except cbor.CborError:
        return Reading(format="hc1", steps=(*steps, failed("claims", "INVALID_SIGNING_FORMAT", "payload")))
    fault = _claims_fault(claims)
    if fault is not None:
        return Reading(format="hc1", steps=(*steps, failed("claims", "NOT_SUPPORTED", fault)))
    return _whole(envelope, claims, steps)


def kid_text(kid: object) -> str | None:
    """As lists have it; None where there is none that could stand in one."""
    is_one = isinstance(kid, bytes) and 0 < len(kid) <= _KID_BYTES_MAX
    return base64.b64encode(kid).decode() if is_one and isinstance(kid, bytes) else None


def content_of(claims: dict[Any, Any]) -> Any:
    return mapping(claims.get(HCERT)).get(EU_DCC)


def _is_algorithm(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in NAMES


def _claims_fault(claims: object) -> str | None:
    """Why these claims say nothing to us: no map, no certificate of subclaim 1, times that are none."""
    if not isinstance(claims, dict):
        return "claims"
    if not isinstance(content_of(claims), dict):
        return "subclaim"
    if not isinstance(claims.get(ISSUER), str | None):
        return "issuer"
    for name, label in ((EXPIRES, "exp"), (ISSUED, "iat"), (NOT_BEFORE, "nbf")):
        if name in claims and number_of(claims[name]) is None:
            return label
    return None


def _whole(envelope: cose.Parsed, claims: dict[Any, Any], steps: tuple[Step, ...]) -> Reading:
    content = content_of(claims)
    entries = list(dcc_schema.entries(content))
    entry = entries[0][1] if entries else {}
    issuer = text_of(claims.get(ISSUER)) or text_of(entry.get("co"))
    assert isinstance(envelope.alg, int)
    issued_at = number_of(claims.get(ISSUED))
    missing = [label for name, label in ((ISSUED, "iat"), (EXPIRES, "exp")) if name not in claims]
    return Reading(
        format="hc1",
        steps=(*steps, passed("claims", [f"{label}-missing" for label in missing])),
        is_whole=True,
        algorithm=envelope.alg,
        kid=kid_text(envelope.kid),
        signed=cose.to_be_signed(envelope.protected, envelope.payload),
        signature=envelope.signature,
        issuer=issuer,
        country=_country(issuer, entry),
        issued_at=issued_at,
        starts_at=max(
            (t for t in (issued_at, number_of(claims.get(NOT_BEFORE))) if t is not None), default=None
        ),
        expires_at=number_of(claims.get(EXPIRES)),
        uses=frozenset(_USES[part] for part, _ in entries),
        hashes=tuple(_hashes(claims, entry, envelope.alg, envelope.signature) for _, entry in entries),
        holder=_holder(content),
        statements=tuple(_statement(part, entry) for part, entry in entries[:_STATEMENTS_MAX]),
        schema_faults=tuple(dcc_schema.faults(content)),
        schema_notes=tuple(_notes(content)),
    )


def _hashes(claims: dict[Any, Any], entry: Any, algorithm: int, signature: bytes) -> Hashes:
    issuer = text_of(claims.get(ISSUER)) or text_of(entry.get("co")) or ""
    return hashes_of(issuer, text_of(entry.get("ci")) or "", algorithm, signature)


def _country(issuer: str | None, entry: Any) -> str | None:
    """Whose key it has to be. An issuer that is no country (a French office signs as CNAM) speaks for the
    country of the entry."""
    for named in (issuer, text_of(entry.get("co"))):
        if named is not None and len(named) == 2:
            return country_of(named)
    return None


def _notes(content: dict[Any, Any]) -> list[str]:
    notes = [f"unknown-value:{field}" for field in dcc_schema.unknown_values(content)]
    for part, entry in dcc_schema.entries(content):
        notes += [f"float:{part}.{f}" for f in ("dn", "sd") if isinstance(entry.get(f), float)]
        done, series = count_of(entry.get("dn")), count_of(entry.get("sd"))
        # 2/1 is a booster after a single dose; 3/2 was issued by mistake (vaccination.md §4).
        if done is not None and series is not None and done > series > 1:
            notes.append("dose-over-series")
    return notes


def _holder(content: dict[Any, Any]) -> Holder:
    name = mapping(content.get("nam"))
    return Holder(
        family_name=text_of(name.get("fn")),
        given_name=text_of(name.get("gn")),
        family_name_latin=text_of(name.get("fnt")),
        given_name_latin=text_of(name.get("gnt")),
        birth_date=text_of(content.get("dob")),
    )


def _statement(part: str, entry: Any) -> Said:
    common = Said(
        kind=_KINDS[part],
        disease=text_of(entry.get("tg")),
        country=text_of(entry.get("co")),
        issuer=text_of(entry.get("is")),
        certificate_id=text_of(entry.get("ci")),
    )
    if part == "t":
        product = text_of(entry.get("ma")) or text_of(entry.get("nm"))
        return replace(
            common, product=product, result=text_of(entry.get("tr")), occurred=text_of(entry.get("sc"))
        )
    if part == "r":
        return replace(common, occurred=text_of(entry.get("fr")), valid_until=text_of(entry.get("du")))
    return replace(
        common,
        vaccine=text_of(entry.get("vp")),
        product=text_of(entry.get("mp")),
        manufacturer=text_of(entry.get("ma")),
        dose_number=count_of(entry.get("dn")),
        series_doses=count_of(entry.get("sd")),
        occurred=text_of(entry.get("dt")),
    )
