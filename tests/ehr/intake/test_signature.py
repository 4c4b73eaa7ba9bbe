"""Signatures of files: what is read is what was signed, with a key that the operator registered (S29)."""

import io
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ehr.intake.models import SignatureFacts
from ehr.intake.reading import read_units
from ehr.intake.signature import BLOCK_BYTES_MAX, TrustedCertificate, look, verify
from ehr.intake.trust.service import told_of
from healthbook.commands import add_certificate, end_certificate
from healthbook.wiring import StartError
from store.database import Store
from tests.ehr.intake.records import OUTPATIENT, allergy, bundle, rows, send
from tests.support.bundles import rewrite_package, sample_package
from tests.support.cda import document
from tests.support.clock import START, FrozenClock
from tests.support.people import Citizen, make_citizen, make_facility
from tests.support.phr831 import sample
from tests.support.signing import Signer, make_signer, signed

SIGNED_BY = ("test-operator", "test")
PACKAGE = (
    b"<GIAMDINHHS><THONGTINDONVI Id='a'><MACSKCB>01028</MACSKCB></THONGTINDONVI>"
    b"<THONGTINHOSO Id='b'><DANHSACHHOSO><HOSO/></DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI/></GIAMDINHHS>"
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return make_signer(START)


def verdict(data: bytes, *certificates: TrustedCertificate) -> SignatureFacts:
    return verify(look(io.BytesIO(data)), certificates, START)


def test_a_signature_over_the_whole_or_over_every_part_is_valid(signer: Signer) -> None:
    whole = verdict(signed(PACKAGE, signer), signer.trusted)
    parts = verdict(signed(PACKAGE, signer, ["a", "b"]), signer.trusted)
    assert (whole.status, parts.status) == ("valid", "valid")
    assert whole.block is not None
    assert b"SignatureValue" in whole.block


def test_without_a_certificate_nothing_is_believed_and_nothing_refused(signer: Signer) -> None:
    assert verdict(signed(PACKAGE, signer)).status == "unverified"
    assert verdict(PACKAGE).status == "absent"
    other = verdict(PACKAGE.replace(b"<CHUKYDONVI/>", b"<CHUKYDONVI>MIIB</CHUKYDONVI>"))
    assert (other.status, other.block) == ("present", b"MIIB")


def test_a_missing_signature_is_refused_only_where_one_is_required(signer: Signer) -> None:
    assert verdict(PACKAGE, signer.trusted).status == "absent"
    found = verdict(PACKAGE, TrustedCertificate(signer.trusted.der, required=True))
    assert (found.status, found.reason) == ("invalid", "signature-missing")


def _altered(data: bytes) -> bytes:
    return data.replace(b"01028", b"01029")


def _wrapped(data: bytes) -> bytes:
    """The signed part moves aside, and another takes its place."""
    start, end = data.index(b"<THONGTINHOSO"), data.index(b"</THONGTINHOSO>") + len(b"</THONGTINHOSO>")
    part = data[start:end]
    evil = part.replace(b'Id="b"', b"").replace(b"<HOSO/>", b"<HOSO><evil/></HOSO>")
    return data[:start] + evil + b"<KHAC>" + part + b"</KHAC>" + data[end:]


def _beside(data: bytes) -> bytes:
    return data.replace(b"<CHUKYDONVI>", b"<CHUKYDONVI><HOSO/>")


def _not_referred(data: bytes) -> bytes:
    return data.replace(b"<CHUKYDONVI>", b"<THEM><HOSO/></THEM><CHUKYDONVI>")


@pytest.mark.parametrize(
    ("attack", "parts"),
    [
        (_altered, None),
        (_altered, ["a", "b"]),
        (_wrapped, ["a", "b"]),
        (_wrapped, None),
        (_beside, ["a", "b"]),
        (_beside, None),
        (_not_referred, ["a", "b"]),
    ],
)
def test_s29_whatever_was_not_signed_makes_the_signature_invalid(
    signer: Signer, attack: Any, parts: list[str] | None
) -> None:
    good = signed(PACKAGE, signer, parts)
    bad = attack(good)
    assert bad != good
    assert verdict(bad, signer.trusted).status == "invalid"


def test_s29_a_key_inside_the_file_is_never_taken(signer: Signer) -> None:
    stranger = make_signer(START)
    assert verdict(signed(PACKAGE, stranger), signer.trusted).reason == "wrong-signature"


def test_s29_the_signature_of_another_document_is_invalid(signer: Signer) -> None:
    other = signed(PACKAGE.replace(b"01028", b"01030"), signer)
    block = other[other.index(b"<ds:Signature") : other.index(b"</ds:Signature>") + len(b"</ds:Signature>")]
    moved = PACKAGE.replace(b"<CHUKYDONVI/>", b"<CHUKYDONVI>" + block + b"</CHUKYDONVI>")
    assert verdict(moved, signer.trusted).reason == "wrong-signature"


def test_an_expired_certificate_verifies_nothing(signer: Signer) -> None:
    old = make_signer(START, days=-1)
    found = verdict(signed(PACKAGE, old), old.trusted)
    assert (found.status, found.reason) == ("invalid", "certificate-expired")
    both = verdict(signed(PACKAGE, signer), old.trusted, signer.trusted)
    assert both.status == "valid"


def test_s29_a_reference_to_an_address_is_never_followed(signer: Signer) -> None:
    data = signed(PACKAGE, signer).replace(b'URI=""', b'URI="http://169.254.169.254/x"')
    assert verdict(data, signer.trusted).reason == "bad-references"


def test_a_transform_that_chooses_what_is_signed_is_refused(signer: Signer) -> None:
    path = b"http://www.w3.org/TR/1999/REC-xpath-19991116"
    data = signed(PACKAGE, signer).replace(b"http://www.w3.org/2000/09/xmldsig#enveloped-signature", path)
    assert verdict(data, signer.trusted).reason == "transform-refused"


def test_a_huge_signature_block_is_neither_kept_nor_verified(signer: Signer) -> None:
    filler = b"<ds:Object>" + b"x" * (BLOCK_BYTES_MAX + 1) + b"</ds:Object></ds:Signature>"
    data = signed(PACKAGE, signer).replace(b"</ds:Signature>", filler)
    found = verdict(data, signer.trusted)
    assert (found.status, found.reason, found.block) == ("invalid", "signature-too-large", None)


def test_two_signatures_are_none(signer: Signer) -> None:
    data = signed(PACKAGE, signer)
    block = data[data.index(b"<ds:Signature") : data.index(b"</CHUKYDONVI>")]
    assert verdict(data.replace(block, block * 2), signer.trusted).reason == "several-signatures"


def test_what_stands_inside_a_signature_is_never_read(signer: Signer) -> None:
    hidden = b"<ds:Object><DATA><BODY><HOSOSUCKHOE/></BODY></DATA></ds:Object></ds:Signature>"
    data = signed(sample().encode(), signer).replace(b"</ds:Signature>", hidden)
    found = list(read_units(io.BytesIO(data), "body", START))
    assert len(found) == 2
    assert b"ds:Object" not in look(io.BytesIO(data)).stream.read()


def test_a_word_that_the_gate_stops_is_not_kept_in_a_block(signer: Signer) -> None:
    told = b"<ds:Object>HIV</ds:Object></ds:Signature>"
    data = signed(PACKAGE, signer).replace(b"</ds:Signature>", told)
    assert look(io.BytesIO(data)).facts.block is None


def test_a_word_that_is_packed_into_a_block_is_not_kept_either(signer: Signer) -> None:
    packed = b64encode("Bệnh nhân nhiễm HIV".encode())
    told = b"<ds:Object>" + packed + b"</ds:Object></ds:Signature>"
    data = signed(PACKAGE, signer).replace(b"</ds:Signature>", told)
    assert look(io.BytesIO(data)).facts.block is None


def test_a_signature_that_spells_a_code_by_chance_is_kept(signer: Signer) -> None:
    data = signed(PACKAGE, signer)
    start = data.index(b"<ds:SignatureValue>") + len(b"<ds:SignatureValue>")
    end = data.index(b"</ds:SignatureValue>")
    chance = b64encode(b64decode(b"AA+/B20/Hiv/") + bytes(range(128, 256)))
    whole = data[:start] + chance[:76] + b"\n" + chance[76:] + data[end:]
    assert look(io.BytesIO(whole)).facts.block is not None
    told = data[:start] + b"HIV duong tinh" + data[end:]
    assert look(io.BytesIO(told)).facts.block is None


def _package(citizen: Citizen) -> bytes:
    return rewrite_package(sample_package(OUTPATIENT), citizen)


async def test_a_signed_package_of_each_format_is_verified_at_the_door(
    store: Store, clock: FrozenClock, signer: Signer
) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="01028")
    await add_certificate(store, "01028", signer.pem, SIGNED_BY, required=True)
    texts = [
        _package(citizen),
        document(citizen).encode(),
        sample({"SENDER_CODE": "01028"}, citizen).encode(),
    ]
    for text in texts:
        unsigned = await send(store, clock, facility, text)
        assert {reason.code for one in unsigned for reason in one.reasons} == {"signature-invalid"}
        assert await rows(store, citizen.patient_id) == []
    for text in texts:
        reports = await send(store, clock, facility, signed(text, signer))
        assert {one.status for one in reports} == {"imported"}, reports
        assert {one.signature for one in reports} == {"valid"}
    async with store.transaction() as tx:
        kept = await tx.fetch(
            "SELECT s.status, s.certificate_sha256, b.block FROM ehr_unit_signature s"
            " JOIN ehr_signature_block b ON b.id_hash = s.file_sha256"
        )
    assert len(kept) >= 4
    assert {row["status"] for row in kept} == {"valid"}


async def test_an_altered_file_is_rejected_whole(store: Store, clock: FrozenClock, signer: Signer) -> None:
    citizen = await make_citizen(store, clock)
    facility = await make_facility(store, clock, code="83301")
    made = await add_certificate(store, "83301", signer.pem, SIGNED_BY, required=False)
    fingerprint = x509.load_pem_x509_certificate(signer.pem).fingerprint(hashes.SHA256()).hex(":").upper()
    assert f"SHA-256 {fingerprint}\nsubject " in told_of(signer.pem)
    good = signed(sample({"SENDER_CODE": "83301"}, citizen).encode(), signer)
    bad = good.replace(b"<MACH>75", b"<MACH>76")
    reports = await send(store, clock, facility, bad)
    assert {(one.status, one.reasons[0].code) for one in reports} == {("rejected", "signature-invalid")}
    assert await rows(store, citizen.patient_id) == []
    await end_certificate(store, made, SIGNED_BY)
    assert {one.status for one in await send(store, clock, facility, bad)} == {"imported"}


async def test_s26_certificates_are_registered_by_a_named_operator(
    store: Store, clock: FrozenClock, signer: Signer, tmp_path: Path
) -> None:
    await make_facility(store, clock, code="83302")
    made = await add_certificate(store, "83302", signer.pem, SIGNED_BY, required=False)
    await end_certificate(store, made, SIGNED_BY)
    async with store.transaction() as tx:
        told = [str(row[0]) for row in await tx.fetch("SELECT entry FROM admin_event")]
    assert any("certificates:add" in entry and "test-operator" in entry for entry in told)
    assert any("certificates:end" in entry for entry in told)
    with pytest.raises(StartError):
        await end_certificate(store, UUID(int=1), SIGNED_BY)


@pytest.mark.parametrize("data", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\n!\n", b"0" * 40_000])
async def test_what_is_no_certificate_is_refused(store: Store, clock: FrozenClock, data: bytes) -> None:
    await make_facility(store, clock, code="83303")
    with pytest.raises(StartError, match="bad-certificate"):
        await add_certificate(store, "83303", data, SIGNED_BY, required=False)


async def test_a_short_key_or_a_past_certificate_is_refused(store: Store, clock: FrozenClock) -> None:
    await make_facility(store, clock, code="83304")
    for signer, code in ((make_signer(START, bits=1024), "weak-key"), (make_signer(START, -300), "expired")):
        with pytest.raises(StartError, match=code):
            await add_certificate(store, "83304", signer.pem, SIGNED_BY, required=False)


@pytest.mark.parametrize("required", [True, False])
async def test_a_facility_that_has_to_sign_sends_no_bundle_which_carries_no_signature(
    store: Store, clock: FrozenClock, signer: Signer, *, required: bool
) -> None:
    code = "83305" if required else "83306"
    citizen, facility = await make_citizen(store, clock), await make_facility(store, clock, code=code)
    await add_certificate(store, code, signer.pem, SIGNED_BY, required=required)
    (report,) = await send(store, clock, facility, bundle(citizen, allergy()))
    told = [(reason.code, reason.where) for reason in report.reasons]
    if required:
        assert (report.status, told) == ("rejected", [("signature-required", "Bundle")])
        assert await rows(store, citizen.patient_id) == []
    else:
        assert (report.status, told) == ("imported", [])
