"""The published vectors of certificates, judged with files alone as a phone in airplane mode does;
`python -m tests.vaccination.verify.vectors` writes them again.

Keys are made of fixed numbers and sign the same way each time, so that the file changes with its cases alone.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from qr import base45
from tests.support import vectors
from tests.support.hc1_texts import CLAIMS, CONTENT, ENTRY, NOW, Signer, cose_of, hc1, kid_bytes, with_entry
from tests.support.hc1_texts import text_of as hc1_text
from tests.support.vectors import Case, curve_key, instant, refused, taken
from vaccination.revocation.hashes import hashes_of
from vaccination.shc.keys import key_of, thumbprint

FILE: Final = vectors.PLACE / "certificates.json"
MAX_AGE_DAYS: Final = 7
ISSUER: Final = "https://so.example/shc"
HOLDER: Final = {"family_name": "Nguyễn", "given_name": "Bảo Duy", "birth_date": "1983-10-10"}
# Test keys, published on purpose: nothing but these vectors is ever signed with them.
_P: Final = int(
    "d6a254912969df7bb89e3e2e28c459d9764620be30ac86f7dbff1fd3f02e11068d8599903bf34fb5f368d8b17774f92b"
    "c4260bdd6aadfd580c04193b6a6ef964420ef225454bedeffa6ac16ab2754e7521e791a879144bb3bb44490d64dbeb53"
    "9b5bc2a24b3a1f711b77cfec8cb8fa630e788d4228dee7ad57ccc4e2c4bb302d",
    16,
)
_Q: Final = int(
    "d3c71d142fad2cbe940a89c75ac8010e700bca71fed31a7abc15056e69d1c48b46337549e59fec57e481212bad589f9b"
    "04feb397897cf213605a3b3e94fb682bdd011c60f6ab4fa9310d99fd1da0857c90c06f4650fc50dd2306d65d3f095751"
    "f5b8f7eec56eef9a42e8787eda1e3ad4f4adc8ed30c5bff2bd464eaa0ca6a07b",
    16,
)


class FixedSigner(Signer):
    """A document signer whose certificate and signatures are the same in every run."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        country: str = "VN",
        uses: tuple[str, ...] = (),
        days: int = 600,
    ) -> None:
        self.key = key
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country)])
        built = x509.CertificateBuilder(name, name, key.public_key(), 1)
        built = built.not_valid_before(NOW - timedelta(days=100)).not_valid_after(NOW + timedelta(days=days))
        if uses:
            named = x509.ExtendedKeyUsage([x509.ObjectIdentifier(one) for one in uses])
            built = built.add_extension(named, critical=False)
        is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
        signed = built.sign(key, SHA256(), ecdsa_deterministic=True if is_curve else None)
        self.certificate = signed.public_bytes(Encoding.DER)
        self.kid = base64.b64encode(hashlib.sha256(self.certificate).digest()[:8]).decode()

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return pss(self.key, data)
        return vectors.es256(self.key, data)


def pss(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    """RSASSA-PSS (RFC 8017 §8.1.1) with SHA-256 and a salt of 32 fixed bytes."""
    salt, numbers = bytes(range(32)), key.private_numbers()
    digest = hashlib.sha256(bytes(8) + hashlib.sha256(data).digest() + salt).digest()
    block = bytes(256 - 32 - 32 - 2) + b"\x01" + salt
    mask = b"".join(hashlib.sha256(digest + bytes((0, 0, 0, at))).digest() for at in range(7))
    masked = bytes(one ^ other for one, other in zip(block, mask, strict=False))
    encoded = bytes((masked[0] & 0x7F,)) + masked[1:] + digest + b"\xbc"
    return pow(int.from_bytes(encoded), numbers.d, numbers.public_numbers.n).to_bytes(256)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    d = pow(65537, -1, (_P - 1) * (_Q - 1))
    return rsa.RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, _P),
        dmq1=rsa.rsa_crt_dmq1(d, _Q),
        iqmp=rsa.rsa_crt_iqmp(_P, _Q),
        public_numbers=rsa.RSAPublicNumbers(65537, _P * _Q),
    ).private_key()


SIGNER: Final = FixedSigner(curve_key(1))
STRANGER: Final = FixedSigner(curve_key(2))
CARDS: Final = FixedSigner(curve_key(3))


def listed(*signers: Signer, country: str = "VN", **more: Any) -> dict[str, Any]:
    """What a phone holds: the answers of the service's routes, and how old they may be."""
    items = [
        {
            "certificateType": "DSC",
            "country": country,
            "kid": one.kid,
            "rawData": base64.b64encode(one.certificate).decode(),
            "timestamp": instant(NOW),
        }
        for one in signers
    ]
    keys = {"certificates": items, "issued_at": more.pop("issued_at", instant(NOW - timedelta(days=1)))}
    empty = {"revocations": [], "cards": [], "cardRevocations": []}
    return {"max_age_days": MAX_AGE_DAYS, "lists": {"keys": [keys], **empty, **more}}


def revoking(**hashes: list[str]) -> dict[str, Any]:
    named = {kind.replace("_", "-"): values for kind, values in hashes.items()}
    return {
        "kid": SIGNER.kid,
        "changes": 3,
        "hashes": named,
        "behind": None,
        "after": None,
        "issued_at": instant(NOW - timedelta(days=1)),
    }


def one_case(name: str, text: str, expect: dict[str, Any], **more: Any) -> Case:
    return vectors.case(
        name, {"text": text}, expect, now=more.get("now", NOW), keys=more.get("keys", listed(SIGNER))
    )


def cases() -> list[Case]:
    return [
        *taken_ones(),
        *unreadable_ones(),
        *misbuilt_ones(),
        *untrusted_ones(),
        *revoked_ones(),
        *cards(),
    ]


def verified(revocation_known: bool = False) -> dict[str, Any]:
    return taken({"status": "VERIFIED", "holder": HOLDER, "revocation_known": revocation_known})


def taken_ones() -> list[Case]:
    rsa_signer = FixedSigner(rsa_key())
    outside = hc1(SIGNER, protected={1: -7}, unprotected={4: kid_bytes(SIGNER)})
    newer = CLAIMS | {-65_000: "of next year", -260: {1: CONTENT | {"zz": [1.5, None, True, -3, b"x"]}}}
    return [
        one_case("valid: ES256", hc1(SIGNER), verified()),
        one_case("valid: PS256", hc1(rsa_signer), verified(), keys=listed(rsa_signer)),
        one_case("valid: no tag around it", hc1(SIGNER, tags=()), verified()),
        one_case("valid: both tags around it", hc1(SIGNER, tags=(61, 18)), verified()),
        one_case("valid: the key's id stands unprotected", outside, verified()),
        one_case("valid: members that nobody knows yet", hc1(SIGNER, newer), verified()),
        one_case(
            "valid: its key's list of revocations names others",
            hc1(SIGNER),
            verified(revocation_known=True),
            keys=listed(SIGNER, revocations=[revoking(uci=["00" * 16])]),
        ),
    ]


def unreadable_ones() -> list[Case]:
    text = hc1(SIGNER)
    unsupported = refused("NOT_SUPPORTED", step="prefix")
    packed = refused("INVALID_COMPRESSION", step="compression")
    bomb = "HC1:" + base45.encode(zlib.compress(bytes(200_000)))
    return [
        one_case("future version: another prefix", "HC2:" + text[4:], unsupported),
        one_case("another kind: a code of this service", "SSK1:ABC", unsupported),
        one_case("lower-cased", text.lower(), unsupported),
        one_case(
            "lower-cased behind its prefix",
            "HC1:" + text[4:].lower(),
            refused("INVALID_ENCODING", step="encoding"),
        ),
        one_case(
            "truncated",
            text[: len(text) // 2 // 3 * 3 + 4],
            packed,
        ),
        one_case("truncated inside a group", text[:101], refused("INVALID_ENCODING", step="encoding")),
        one_case("it unpacks to far more than it is", bomb, packed),
        one_case(
            "another tag around it",
            hc1(SIGNER, tags=(17,)),
            refused("INVALID_SIGNING_FORMAT", step="envelope"),
        ),
        one_case("empty", "", unsupported),
    ]


def misbuilt_ones() -> list[Case]:
    """Nearly a certificate, as lenient readers take it."""
    whole = cose_of(SIGNER)
    packed = zlib.compress(whole, 9)
    envelope = refused("INVALID_SIGNING_FORMAT", step="envelope")
    claims = refused("INVALID_SIGNING_FORMAT", step="claims")
    compression = refused("INVALID_COMPRESSION", step="compression")
    twice = b"\xa2" + 2 * (cbor2.dumps(1) + cbor2.dumps("VN"))
    nested = b"\xa1\x01" + b"\x7f\x7f\x62VN\xff\xff"
    endless = CLAIMS | {4: float("inf")}
    nothing = CLAIMS | {-260: {1: {key: value for key, value in CONTENT.items() if key != "v"}}}
    doses = FixedSigner(curve_key(7), uses=("1.3.6.1.4.1.1847.2021.1.2",))
    return [
        one_case("bytes behind the packed data", "HC1:" + base45.encode(packed + b"\1\2\3"), compression),
        one_case("its checksum once more", "HC1:" + base45.encode(packed + packed[-4:]), compression),
        one_case("bytes behind the envelope", hc1_text(whole + b"\0"), envelope),
        one_case("a date's tag around the envelope", hc1_text(b"\xc0" + whole), envelope),
        one_case("pieces in pieces, very deep", hc1_text(b"\x5f" * 60_000), envelope),
        one_case("a piece that has pieces", hc1(SIGNER, nested), claims),
        one_case("one claim twice", hc1(SIGNER, twice), claims),
        one_case("it expires at no number", hc1(SIGNER, endless), refused("NOT_SUPPORTED", step="claims")),
        one_case(
            "it begins after all years",
            hc1(SIGNER, CLAIMS | {6: 2**62}),
            refused("NOT_SUPPORTED", step="claims"),
        ),
        one_case("a tag that builds something", hc1(SIGNER, {**CLAIMS, "x": cbor2.CBORTag(28, [1])}), claims),
        one_case(
            "it says nothing, under a key for vaccinations alone",
            hc1(doses, nothing),
            refused("INVALID_SIGNATURE", step="key-usage"),
            keys=listed(doses),
        ),
        one_case("valid: a key for vaccinations alone", hc1(doses), verified(), keys=listed(doses)),
    ]


def untrusted_ones() -> list[Case]:
    text, at_key = hc1(SIGNER), refused("ISSUER_NOT_TRUSTED", step="key")
    tests_alone = FixedSigner(curve_key(4), uses=("1.3.6.1.4.1.1847.2021.1.1",))
    over = FixedSigner(curve_key(5), days=-1)
    french = FixedSigner(curve_key(6), country="FR")
    forged = hc1(STRANGER, protected={1: -7, 4: kid_bytes(SIGNER)})
    old = listed(SIGNER, issued_at=instant(NOW - timedelta(days=MAX_AGE_DAYS + 1)))
    later, years = NOW + timedelta(days=301), listed(SIGNER, issued_at=instant(NOW + timedelta(days=300)))
    bad, ended = refused("INVALID_SIGNATURE", step="signature"), refused("EXPIRED_KEYS", step="key-state")
    return [
        one_case("wrong key: signed by another under a key's id that is trusted", forged, bad),
        one_case("tampered byte", tampered(), bad),
        one_case("unknown key id", hc1(STRANGER), at_key),
        one_case("no key id", hc1(SIGNER, protected={1: -7}), refused("KID_NOT_INCLUDED", step="key")),
        one_case("a key of another country", hc1(french), at_key, keys=listed(french, country="FR")),
        one_case(
            "another kind: a key for tests alone",
            hc1(tests_alone),
            refused("INVALID_SIGNATURE", step="key-usage"),
            keys=listed(tests_alone),
        ),
        one_case("a key that is over", hc1(over), ended, keys=listed(over)),
        one_case("expired", text, refused("EXPIRED", step="validity"), now=later, keys=years),
        one_case(
            "not yet valid", text, refused("NOT_YET_VALID", step="validity"), now=NOW - timedelta(days=11)
        ),
        one_case(
            "airplane mode too long: the list of keys is too old",
            text,
            refused("TRUST_DATA_STALE", step="trust-age"),
            keys=old,
        ),
    ]


def revoked_ones() -> list[Case]:
    signed = hc1(SIGNER)
    names = {kind: [value.hex()] for kind, value in names_of(signed).items()}
    gone = refused("REVOKED", step="revocation")
    stale = revoking(uci=["00" * 16]) | {"issued_at": instant(NOW - timedelta(days=MAX_AGE_DAYS + 1))}
    half = revoking(uci=["00" * 16]) | {"after": "uci.00"}
    by = {kind: revoking(**{kind.replace("-", "_"): value}) for kind, value in names.items()}
    return [
        *(
            one_case(f"revoked by its {kind}", signed, gone, keys=listed(SIGNER, revocations=[page]))
            for kind, page in by.items()
        ),
        one_case(
            "airplane mode too long: the list of revocations is too old",
            signed,
            refused("TRUST_DATA_STALE", step="revocation"),
            keys=listed(SIGNER, revocations=[stale]),
        ),
        one_case(
            "valid: of the list of revocations a page is missing",
            signed,
            verified(),
            keys=listed(SIGNER, revocations=[half]),
        ),
    ]


def cards() -> list[Case]:
    held = {"cards": [{"issuer": ISSUER, "keys": [card_jwk(CARDS)]}]}
    trusted = listed(**held)
    text, jws = numeric(card(CARDS)), card(CARDS)
    wrong = card(STRANGER, kid=card_jwk(CARDS)["kid"])
    other = card(CARDS, iss="https://other.example/shc")
    kid = card_jwk(CARDS)["kid"]
    ok = taken(
        {
            "status": "VERIFIED",
            "holder": {"family_name": "Nguyễn", "given_name": "Bảo Duy", "birth_date": "1983-10-10"},
            "revocation_known": False,
        }
    )
    known = ok | {"ok": ok["ok"] | {"revocation_known": True}}

    def listing(*rids: str) -> dict[str, Any]:
        return listed(**held, cardRevocations=[{"kid": kid, "method": "rid", "ctr": 2, "rids": list(rids)}])

    changed = numeric(jws[:-6] + ("A" if jws[-6] != "A" else "B") + jws[-5:])
    unknown = refused("ISSUER_NOT_TRUSTED", step="key")
    later = int((NOW + timedelta(days=1)).timestamp())
    before = int((NOW - timedelta(days=365)).timestamp())
    bad = refused("INVALID_SIGNATURE", step="signature")
    gone, unsupported = refused("REVOKED", step="revocation"), refused("NOT_SUPPORTED", step="prefix")
    rows: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
        ("health card: valid", text, ok, trusted),
        ("health card: valid, as the JWS of a file", jws, ok, trusted),
        ("health card: wrong key", numeric(wrong), bad, trusted),
        (
            "health card: tampered byte",
            changed,
            bad,
            trusted,
        ),
        ("health card: another issuer", numeric(other), unknown, trusted),
        (
            "health card: unknown key id",
            numeric(card(STRANGER)),
            unknown,
            trusted,
        ),
        ("health card: upper-cased", text.upper(), unsupported, trusted),
        ("health card: truncated", text[:-1], refused("INVALID_ENCODING", step="encoding"), trusted),
        (
            "health card: one of several codes",
            "shc:/1/2/" + text[5:],
            unsupported,
            trusted,
        ),
        ("health card: revoked", text, gone, listing("AAAAAAAAAAA")),
        ("health card: revoked before a later second", text, gone, listing(f"AAAAAAAAAAA.{later}")),
        ("health card: revoked before it was issued", text, known, listing(f"AAAAAAAAAAA.{before}")),
        ("health card: others are revoked", text, known, listing("BBBBBBBBBBB")),
        (
            "health card: not yet valid",
            numeric(card(CARDS, nbf=later)),
            refused("NOT_YET_VALID", step="validity"),
            trusted,
        ),
        (
            "health card: expired",
            numeric(card(CARDS, exp=int(NOW.timestamp()) - 1)),
            refused("EXPIRED", step="validity"),
            trusted,
        ),
        (
            "health card: another kind of token of the same key",
            numeric(card(CARDS, head={"typ": "consent+jwt"})),
            refused("INVALID_SIGNING_FORMAT", step="envelope"),
            trusted,
        ),
        (
            "health card: future version, packed otherwise",
            numeric(card(CARDS, head={"zip": "BR"})),
            refused("INVALID_SIGNING_FORMAT", step="envelope"),
            trusted,
        ),
    ]
    return [one_case(name, said, expect, keys=keys) for name, said, expect, keys in rows]


def card_jwk(signer: Signer) -> dict[str, Any]:
    key = key_of(signer.certificate, 2)
    return {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "x": key.x, "y": key.y, "kid": key.kid}


def card(signer: Signer, *, kid: str | None = None, head: dict[str, str] | None = None, **claims: Any) -> str:
    """A health card as JWS."""
    key = key_of(signer.certificate, 2)
    header = {"zip": "DEF", "alg": "ES256", "kid": kid or thumbprint(key.x, key.y)} | (head or {})
    name = {"family": HOLDER["family_name"], "given": HOLDER["given_name"].split(" ")}
    patient = {"resourceType": "Patient", "name": [name], "birthDate": HOLDER["birth_date"]}
    dose = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
        "occurrenceDateTime": "2026-03-18",
    }
    said = {
        "iss": ISSUER,
        "nbf": int((NOW - timedelta(days=10)).timestamp()),
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "rid": "AAAAAAAAAAA",
            "credentialSubject": {
                "fhirVersion": "4.0.1",
                "fhirBundle": {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [
                        {"fullUrl": f"resource:{at}", "resource": one}
                        for at, one in enumerate((patient, dose))
                    ],
                },
            },
        },
    } | claims
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(said).encode()) + packer.flush()
    text = f"{base64url(json.dumps(header).encode())}.{base64url(packed)}"
    return f"{text}.{base64url(signer.sign(text.encode()))}"


def numeric(jws: str) -> str:
    return "shc:/" + "".join(f"{ord(letter) - 45:02}" for letter in jws)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def tampered() -> str:
    """Another dose under the same signature."""
    return repacked(lambda item: [item[0], item[1], cbor2.dumps(with_entry(dn=3)), item[3]])


def repacked(change: Callable[[list[Any]], list[Any]]) -> str:
    item = opened(hc1(SIGNER))
    return "HC1:" + base45.encode(zlib.compress(cbor2.dumps(cbor2.CBORTag(18, change(item))), 9))


def opened(text: str) -> list[Any]:
    item = cbor2.loads(zlib.decompress(base45.decode(text[4:])))
    return list(item.value)


def names_of(text: str) -> dict[Any, bytes]:
    return dict(hashes_of("VN", ENTRY["ci"], -7, opened(text)[3]))


def document() -> bytes:
    about = (
        "A certificate judged without a network. input.text: as scanned, spaces and all; keys.lists: what "
        "the phone holds: answers of /v1/public/certificates/keys (keys) and …/revocations/{kid} "
        "(revocations, every page), of a health card issuer's /.well-known/jwks.json (cards) and crl "
        "(cardRevocations); keys.max_age_days: how old they may be. expect: VERIFIED with the holder and "
        "whether a list of revocations speaks of the key, or the status of POST "
        "/v1/public/certificates/verify and the step at which it failed."
    )
    return vectors.document(about, cases())


if __name__ == "__main__":
    FILE.write_bytes(document())
