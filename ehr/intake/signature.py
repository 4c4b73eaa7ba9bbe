"""XML signatures of received files: found, kept, and verified with a facility's registered certificates.

No key, certificate or address is ever taken from inside a file (security.md S29). What is read of a
signed file is the file without its signature, and a signature counts only when it covers all of that.
"""

import hashlib
import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any, Final

from cryptography import x509
from lxml import etree
from msgspec import Struct
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ehr.intake.gate import judge_plain
from ehr.intake.hidden import as_text, decode
from ehr.intake.models import SignatureFacts
from ehr.intake.safe_xml import TAGS_MAX
from kernel.safe_xml import parser_options

SIGNED_BYTES_MAX: Final = 8 * 1024 * 1024
# Verifying takes several trees at once.
SIGNED_TAGS_MAX: Final = TAGS_MAX // 2
BLOCK_BYTES_MAX: Final = 64 * 1024
REFERENCES_MAX: Final = 8
_PART: Final = 1024 * 1024
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_MARK: Final = b"SignatureValue"
# Something that is no XML signature stands where one belongs (its profile is unknown).
_OTHER: Final = re.compile(rb"<(?:CHUKYDONVI|SIGNATURE)(?:\s[^>]{0,200})?>\s*([^<\s][^<]*)")
_TRANSFORMS: Final = frozenset(
    {"http://www.w3.org/2000/09/xmldsig#enveloped-signature", *(one.value for one in CanonicalizationMethod)}
)
# All the text of one element. The shortest number worth the name is a SHA-1 digest.
_VALUE: Final = re.compile(r"(?<![^>])[A-Za-z0-9+/=\r\n&#;]+(?![^<])")
_VALUE_BYTES_MIN: Final = 20
_CONFIG: Final = SignatureConfiguration(
    expect_references=True,
    ignore_ambiguous_key_info=True,
    signature_methods=frozenset(
        {
            SignatureMethod.RSA_SHA256,
            SignatureMethod.RSA_SHA384,
            SignatureMethod.RSA_SHA512,
            SignatureMethod.SHA256_RSA_MGF1,
            SignatureMethod.ECDSA_SHA256,
            SignatureMethod.ECDSA_SHA384,
        }
    ),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}),
)


class TrustedCertificate(Struct, frozen=True):
    """A certificate that an operator registered for one facility."""

    der: bytes
    required: bool


class Signed(Struct, frozen=True):
    """A received file: what can be told without a certificate, and the stream that is to be read.

    root: the tree with its signature, where there is one that can be verified.
    """

    facts: SignatureFacts
    stream: IO[bytes]
    root: etree._Element | None = None


def look(stream: IO[bytes]) -> Signed:
    """Digest and signature of an XML file, read once; a signed one is handed on without its signature."""
    digest, kept, tail = hashlib.sha256(), io.BytesIO(), b""
    is_signed, other = False, None
    while part := stream.read(_PART):
        digest.update(part)
        seen = tail + part
        is_signed = is_signed or _MARK in seen
        other = other or _OTHER.search(seen)
        tail = seen[-1024:]
        if kept.tell() <= SIGNED_BYTES_MAX:
            kept.write(part)
    stream.seek(0)
    file_digest = digest.digest()
    if is_signed:
        return _split(stream, kept.getvalue(), file_digest)
    if other is not None:
        block = _kept(other.group(1)[:BLOCK_BYTES_MAX])
        return Signed(SignatureFacts("present", file_digest, block=block), stream)
    return Signed(SignatureFacts("absent", file_digest), stream)


def _split(stream: IO[bytes], data: bytes, digest: bytes) -> Signed:
    """A file whose signature cannot be taken apart is read as it stands, unverified."""
    if len(data) > SIGNED_BYTES_MAX or data.count(b"<") > SIGNED_TAGS_MAX:
        return Signed(SignatureFacts("unverified", digest, reason="too-large"), stream)
    root = _parse(data)
    found = [] if root is None else list(root.iter(_DS + "Signature"))
    info: Any = None if root is None else root.getroottree().docinfo
    if root is None or info.doctype:
        return Signed(SignatureFacts("unverified", digest, reason="bad-xml"), stream)
    if len(found) != 1 or found[0] is root:
        reason = "several-signatures" if len(found) > 1 else "not-xmldsig"
        return Signed(SignatureFacts("unverified", digest, reason=reason), stream)
    block = etree.tostring(found[0], with_tail=False)
    if len(block) > BLOCK_BYTES_MAX:
        return Signed(SignatureFacts("unverified", digest, reason="signature-too-large"), stream)
    facts = SignatureFacts("unverified", digest, block=_kept(block))
    return Signed(facts, io.BytesIO(etree.tostring(_without(root), encoding="UTF-8")), root)


def _kept(block: bytes) -> bytes | None:
    """The block as it came, unless somebody wrote into it what the gate stops.

    Digests, signatures and certificates are numbers: in one file of 150 they spell a code by chance.
    """
    words = _VALUE.sub(_words, block.decode("utf-8", errors="replace"))
    return block if judge_plain(words) == "keep" else None


def _words(value: re.Match[str]) -> str:
    """Nothing for Base64 of bytes that are no text; what it says besides where they are text."""
    raw = decode(value.group().replace("&#13;", ""))
    if raw is None:
        return value.group()
    told = as_text(raw)
    if told is not None:
        return f"{value.group()} {told}"
    return "" if len(raw) >= _VALUE_BYTES_MIN else value.group()


def _parse(data: bytes) -> etree._Element | None:
    """With comments and instructions: they are part of what was signed."""
    try:
        return etree.fromstring(data.strip(), etree.XMLParser(**parser_options(keep_all=True)))
    except (etree.XMLSyntaxError, ValueError):
        return None


def _without(root: etree._Element) -> etree._Element:
    """A copy of the tree without its signature; the text behind the signature stays."""
    copy = etree.fromstring(etree.tostring(root), etree.XMLParser(**parser_options(keep_all=True)))
    signature = next(copy.iter(_DS + "Signature"))
    parent, before = signature.getparent(), signature.getprevious()
    assert parent is not None
    if signature.tail and before is not None:
        before.tail = str(before.tail or "") + str(signature.tail)
    elif signature.tail:
        parent.text = str(parent.text or "") + str(signature.tail)
    parent.remove(signature)
    return copy


def is_required(certificates: Sequence[TrustedCertificate]) -> bool:
    """Whether all that the sender sends has to be signed; JSON carries no signature and is refused then."""
    return any(one.required for one in certificates)


def verify(signed: Signed, certificates: Sequence[TrustedCertificate], now: datetime) -> SignatureFacts:
    """The verdict with the certificates of the sender. Without any, what is known stays unverified."""
    facts = signed.facts
    if not certificates:
        return facts
    if facts.status == "absent":
        return _invalid(facts, "signature-missing") if is_required(certificates) else facts
    if signed.root is None:
        return _invalid(facts, facts.reason or "not-xmldsig")
    fault = _form_fault(signed.root)
    if fault:
        return _invalid(facts, fault)
    reasons = [_check(signed.root, x509.load_der_x509_certificate(one.der), now) for one in certificates]
    for one, reason in zip(certificates, reasons, strict=True):
        if not reason:
            fingerprint = hashlib.sha256(one.der).digest()
            return SignatureFacts("valid", facts.digest, block=facts.block, certificate_sha256=fingerprint)
    return _invalid(facts, next((one for one in reasons if one != "wrong-signature"), "wrong-signature"))


def _invalid(facts: SignatureFacts, reason: str) -> SignatureFacts:
    return SignatureFacts("invalid", facts.digest, reason=reason, block=facts.block)


def _form_fault(root: etree._Element) -> str:
    """References to this document alone, and no transform that hides a part of it."""
    signature = next(root.iter(_DS + "Signature"))
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    if not 1 <= len(references) <= REFERENCES_MAX:
        return "bad-references"
    for reference in references:
        uri = reference.get("URI")
        if uri is None or (uri and not re.fullmatch(r"#[A-Za-z_][\w.-]{0,100}", uri)):
            return "bad-references"
    used = {one.get("Algorithm") for one in signature.iter(_DS + "Transform")}
    return "" if used <= _TRANSFORMS else "transform-refused"


def _check(root: etree._Element, certificate: x509.Certificate, now: datetime) -> str:
    """Why the signature is not good for this certificate; "" when it is."""
    try:
        results = XMLVerifier().verify(etree.tostring(root), x509_cert=certificate, expect_config=_CONFIG)
    except (SignXMLException, ValueError, TypeError, etree.LxmlError, AttributeError):
        return "wrong-signature"
    listed = results if isinstance(results, list) else [results]
    if not _covers_all(_without(root), {_canonical(one.signed_xml) for one in listed}):
        return "not-all-signed"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return "certificate-expired"
    return ""


def _covers_all(rest: etree._Element, signed: set[bytes]) -> bool:
    """The whole document is signed, or each part of it but the emptied place of the signature."""
    if _canonical(rest) in signed:
        return True
    parts = [one for one in rest if isinstance(one.tag, str)]
    told = [one for one in parts if len(one) or (one.text or "").strip() or one.attrib]
    return bool(told) and not (rest.text or "").strip() and all(_canonical(one) in signed for one in told)


def _canonical(element: etree._Element | None) -> bytes:
    """Exclusive C14N of an element on its own: two spellings of one content compare equal."""
    if element is None:
        return b""
    alone = etree.fromstring(etree.tostring(element, with_tail=False), etree.XMLParser(**parser_options()))
    return etree.tostring(alone, method="c14n", exclusive=True, with_comments=False)
