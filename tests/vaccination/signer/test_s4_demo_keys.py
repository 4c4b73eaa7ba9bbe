"""A demo signs as country XX with keys that are certified for test results: nobody else takes them."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from healthbook.demo_signers import add_signers
from store.database import Store
from store.installation import mark_installation
from tests.support.clock import START, FrozenClock
from tests.support.dcc import certificate_bytes, certificate_parts, dcc
from tests.support.hc1_texts import Signer, hc1, with_entry
from vaccination.hc1 import cose
from vaccination.signer.authority import CertificateError, make_authority
from vaccination.signer.enrolment import enrol
from vaccination.signer.key_files import SignerKeys
from vaccination.signer.keys import current_signer, document_signers
from vaccination.signer.models import DocumentSigner
from vaccination.signer.shapes import fits
from vaccination.trust.publishing import own_keys
from vaccination.trust.readers import read_list
from vaccination.trust.service import keys_of_kid
from vaccination.verify.hc1 import read
from vaccination.verify.judging import Known, judge
from vaccination.verify.offline import Files

# The list of the EU's trust network.
TEST_RESULTS, VACCINATIONS = "1.3.6.1.4.1.1847.2021.1.1", "1.3.6.1.4.1.1847.2021.1.2"
CARDS = "https://so.example/shc"
YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
async def demo(owner: Store) -> Store:
    """As hb_owner, on a database that is a demo's."""
    async with owner.transaction() as tx:
        assert await mark_installation(tx, True, START)
    return owner


@pytest.fixture
async def real(fresh_owner: Store) -> Store:
    async with fresh_owner.transaction() as tx:
        assert await mark_installation(tx, False, START)
    return fresh_owner


@pytest.fixture(scope="module")
async def signer(demo: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[DocumentSigner, Signer]:
    """The demo's key for certificates: as it is enrolled, and with its private half."""
    directory: Path = tmp_path_factory.mktemp("demo") / "signer"
    await add_signers(demo, directory, START)
    async with demo.transaction() as tx:
        enrolled = await current_signer(tx, "hc1", START)
    assert enrolled is not None
    return enrolled, Signer.of(SignerKeys.load(directory).key(enrolled.key_id), enrolled.certificate)


async def test_s4_a_demos_keys_are_of_no_country_and_for_test_results(
    demo: Store, signer: tuple[DocumentSigner, Signer], clock: FrozenClock
) -> None:
    async with demo.transaction() as tx:
        signers = await document_signers(tx)
        listed = read_list(msgspec.json.encode(await own_keys(tx, clock.now())))
    assert [one.country for one in signers] == ["XX", "XX", "XX"]
    assert {(key.country, key.uses) for key in listed.keys} == {("XX", frozenset({"t"}))}


async def test_s4_a_key_signs_for_the_country_of_its_certificate_and_for_no_other(
    signer: tuple[DocumentSigner, Signer], clock: FrozenClock
) -> None:
    key, now = signer[0], clock.now()
    assert key.country == "XX"
    assert fits(key, "cose", certificate_bytes(key, now), now)
    real = msgspec.structs.replace(
        key, certificate=certified("VN", VACCINATIONS)[0].public_bytes(Encoding.DER)
    )
    assert not fits(real, "cose", certificate_bytes(key, now), now)
    number = "URN:UVCI:01:VN:ABC"
    for other in (dcc(country="VN"), dcc(country="XX", co="VN"), dcc(country="XX", ci=number)):
        assert not fits(key, "cose", cose.to_be_signed(*certificate_parts(key, now, other)), now)


@pytest.mark.parametrize(
    ("country", "usage", "reason"),
    [
        ("XX", TEST_RESULTS, "country is not VN"),
        ("XX", VACCINATIONS, "country is not VN"),
        ("VN", TEST_RESULTS, "not for vaccinations"),
    ],
)
async def test_s4_a_real_installation_takes_no_key_of_a_demo_into_use(
    real: Store, country: str, usage: str, reason: str
) -> None:
    await take(real, "VN", VACCINATIONS, "hc1.0001")
    with pytest.raises(CertificateError, match=reason):
        await take(real, country, usage, "hc1.0002")


@pytest.mark.parametrize(
    ("country", "usage", "reason"),
    [
        ("VN", VACCINATIONS, "country is not XX"),
        ("VN", TEST_RESULTS, "country is not XX"),
        ("XX", VACCINATIONS, "not for tests alone"),
        ("XX", None, "not for tests alone"),
    ],
)
async def test_s4_a_demo_takes_no_real_key_into_use(
    demo: Store, country: str, usage: str | None, reason: str
) -> None:
    with pytest.raises(CertificateError, match=reason):
        await take(demo, country, usage, "hc1.0009")


async def test_s4_a_demos_certificate_holds_in_the_demo_and_nowhere_else(
    demo: Store, signer: tuple[DocumentSigner, Signer], clock: FrozenClock
) -> None:
    """Who trusts a country's keys alone does not know it; who is given the demo's list heeds what its keys
    are for; under the country's own name they say nothing, in the demo neither."""
    key, text = signer[1], hc1(signer[1], said("XX"))
    vn, vn_key = certified("VN", VACCINATIONS)
    countrys = Signer.of(vn_key, vn.public_bytes(Encoding.DER))
    trusted = json.dumps({countrys.kid: base64.b64encode(countrys.certificate).decode()}).encode()
    async with demo.transaction() as tx:
        own = Known(keys=tuple(await keys_of_kid(tx, key.kid, CARDS)))
        listed = msgspec.json.encode(await own_keys(tx, clock.now()))

    def told(text: str, known: Known | Files) -> tuple[str, str | None]:
        reading = read(text)
        by = known.known(reading) if isinstance(known, Files) else known
        verdict = judge(reading, by, clock.now())
        return verdict.status, next((step.name for step in verdict.steps if step.status), None)

    assert told(text, own) == ("VERIFIED", None)
    assert told(hc1(key, said("VN")), own) == ("ISSUER_NOT_TRUSTED", "key")
    assert told(hc1(countrys, said("VN")), files(trusted)) == ("VERIFIED", None)
    assert told(text, files(trusted)) == ("ISSUER_NOT_TRUSTED", "key")
    assert told(text, files(trusted, listed)) == ("INVALID_SIGNATURE", "key-usage")
    assert told(text, files(listed, demo=True)) == ("VERIFIED", None)
    forged = Signer.of(vn_key, certified("VN", TEST_RESULTS, vn_key)[0].public_bytes(Encoding.DER))
    plain = json.dumps({forged.kid: base64.b64encode(forged.certificate).decode()}).encode()
    assert told(hc1(forged, said("VN")), files(plain, demo=True)) == ("INVALID_SIGNATURE", "key-usage")


def said(country: str) -> dict[Any, Any]:
    """Claims of a dose of that country, made just now."""
    at = int(START.timestamp())
    claims = with_entry(co=country, ci=f"URN:UVCI:01:{country}:ABCDEFGH")
    return claims | {1: country, 4: at + int(YEAR.total_seconds()), 6: at - 1}


def files(*lists: bytes, demo: bool = False) -> Files:
    made = Files(demo=demo)
    for one in lists:
        made.add(one, YEAR)
    return made


AUTHORITY_KEY, AUTHORITY = make_authority("Authority", START)


def certified(
    country: str, usage: str | None, key: ec.EllipticCurvePrivateKey | None = None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """What an authority may certify that is no program of ours. usage: None says nothing of it."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country)])
    above = AUTHORITY.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    signs = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    built = x509.CertificateBuilder(AUTHORITY.subject, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(START - YEAR).not_valid_after(START + 2 * YEAR)
    built = built.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False
    ).add_extension(signs, critical=True)
    if usage is not None:
        built = built.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage)]), critical=False)
    return built.sign(AUTHORITY_KEY, SHA256()), key


async def take(place: Store, country: str, usage: str | None, key_id: str) -> DocumentSigner:
    async with place.transaction() as tx:
        return await enrol(tx, key_id, certified(country, usage)[0], AUTHORITY, 10, START)
