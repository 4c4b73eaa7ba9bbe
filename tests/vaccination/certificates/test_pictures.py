"""The certificate as picture and as paper: what a camera sees of a 40 mm print is still the certificate."""

import io
from collections.abc import AsyncIterator
from typing import Any

import cbor2
import httpx
import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from ehr.intake.systems import PERSON_EXTENSIONS
from qr import certificates as codes
from store.database import Store
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg
from tests.support.certifying import CERTIFICATES, covid, days_ago, issued, make_station, send, text_of
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.support.record import hospital, our_id, write
from tests.support.signing_process import RunningSigner
from vaccination.hc1.cose import unpack

# What a phone's camera resolves of a paper that it is held over.
DOTS_PER_INCH = 220
# Lines of text can pass for a bar code now and then.
QR = zxingcpp.BarcodeFormat.QRCode


@pytest.fixture
async def client(store: Store, clock: FrozenClock, signer: RunningSigner) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, clock, signer=signer) as opened:
        yield opened


async def made(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, name: str = "Đỗ Thị Ánh Đào"
) -> tuple[Citizen, str]:
    who, station = await make_citizen(store, clock, name=name), await make_station(store, clock)
    await send(store, clock, who.patient_id, station, covid("d", days_ago(clock, 3), number=2))
    certificate = await issued(client, who.token, our_id(station.name, "d"))
    return who, certificate["certificate_id"]


async def fetched(client: httpx.AsyncClient, who: Citizen, certificate_id: str, form: str) -> httpx.Response:
    answer = await client.get(f"{CERTIFICATES}/{certificate_id}/{form}", headers=bearer(who.token))
    assert answer.status_code == 200, answer.text
    return answer


async def test_both_pictures_decode_to_the_text_at_level_q(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, certificate_id = await made(client, store, clock)
    text = await text_of(client, who.token, certificate_id)
    png = await fetched(client, who, certificate_id, "code.png")
    svg = await fetched(client, who, certificate_id, "code.svg")
    assert png.headers["content-type"] == "image/png"
    assert "sandbox" in svg.headers["content-security-policy"]
    assert decoded(pixels_of_png(png.content)) == (text, "Q")
    assert decoded(pixels_of_svg(svg.text)) == (text, "Q")


async def test_the_paper_has_the_eleven_fields_in_both_languages_and_says_what_the_code_says(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, certificate_id = await made(client, store, clock)
    pdf = (await fetched(client, who, certificate_id, "certificate.pdf")).content
    reader = PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    lines = " ".join(reader.pages[0].extract_text().split())
    fields = {
        "Họ và tên": "Name",
        "Ngày sinh": "Date of birth",
        "Quốc tịch": "Nationality",
        "Bệnh": "Disease targeted",
        "Số mũi đã tiêm": "Doses received",
        "Ngày tiêm": "Date of vaccination",
        "Liều số": "Dose number",
        "Vắc xin": "Vaccine",
        "Tên sản phẩm": "Product",
        "Nhà sản xuất": "Manufacturer",
        "Mã chứng nhận": "Certificate id",
    }
    assert len(fields) == 11
    assert [vi for vi in (*fields, *fields.values()) if vi not in lines] == []
    text = await text_of(client, who.token, certificate_id)
    number = _dcc(text)["v"][0]["ci"]
    said = ("Đỗ Thị Ánh Đào", "DO THI ANH DAO", "12/03/1985", "COVID-19", "2 / 2")
    said += ("SARS-CoV-2 mRNA vaccine", "Comirnaty", "Biontech", "Valid until 21/11/2027", number)
    assert [word for word in said if word.replace(" ", "") not in lines.replace(" ", "")] == []
    assert "identity document" in lines


@pytest.mark.parametrize(
    ("codes", "printed"), [([], False), (["000"], True), (["208"], False), (["000", "208"], False)]
)
async def test_the_nationality_is_what_records_say_and_no_guess_from_a_number(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock, codes: list[str], printed: bool
) -> None:
    who, certificate_id = await made(client, store, clock)
    url, system = PERSON_EXTENSIONS["MA_QUOCTICH"]
    for code in codes:
        said = {"url": url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}
        patient = {"resourceType": "Patient", "id": "p", "extension": [said]}
        await write(store, who.patient_id, [patient], clock.now(), source=hospital(code))
    pdf = (await fetched(client, who, certificate_id, "certificate.pdf")).content
    assert ("Việt Nam / Viet Nam" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()) is printed


def _dcc(text: str) -> Any:
    return cbor2.loads(unpack(text).payload)[-260][1]


async def test_s35_a_name_that_is_markup_stands_on_the_paper_as_letters(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    who, certificate_id = await made(client, store, clock, name='#read("/etc/passwd") <b>Anh')
    pdf = (await fetched(client, who, certificate_id, "certificate.pdf")).content
    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    assert "#read(" in text
    assert "root:" not in text


async def test_the_code_is_at_least_40_mm_wide_on_paper_and_reads_after_jpeg_q40_and_15_degrees(
    client: httpx.AsyncClient, store: Store, clock: FrozenClock
) -> None:
    """cwa-android#3514: printed codes that nobody could read."""
    who, certificate_id = await made(client, store, clock)
    text = await text_of(client, who.token, certificate_id)
    pdf = (await fetched(client, who, certificate_id, "certificate.pdf")).content
    page = _rendered(pdf)
    (found,) = zxingcpp.read_barcodes(page, QR)
    assert _width_mm(found) >= 40
    assert found.text == text
    for degrees in (15, -15):
        assert _read(_photographed(page, degrees)) == text, degrees


@pytest.mark.parametrize("length", [556, 824], ids=["ES256", "PS256"])
def test_a_40_mm_print_reads_after_jpeg_q40_and_15_degrees_in_both_algorithms(length: int) -> None:
    """As a printer at 300 dots makes it: the code alone, its modules 40 mm wide, photographed askew."""
    text = ("HC1:" + "6BFOXN*TS0BI$ZD.P9UOL97O4-2HH77HRM3DSPTLRR+%3" * 40)[:length]
    rows = codes.matrix(text)
    dots = round(40 / 25.4 * 300)
    drawn = Image.open(io.BytesIO(codes.png(text))).convert("L")
    quiet = 2 * 4 / (len(rows) - 8)
    side = round(dots * (1 + quiet))
    paper = Image.new("L", (2 * side, 2 * side), 255)
    paper.paste(drawn.resize((side, side), Image.Resampling.NEAREST), (side // 2, side // 2))
    for degrees in (15, -15):
        assert _read(_photographed(paper, degrees)) == text, degrees


def _rendered(pdf: bytes) -> Image.Image:
    page = pypdfium2.PdfDocument(pdf)[0]
    picture: Image.Image = page.render(scale=DOTS_PER_INCH / 72).to_pil().convert("L")
    return picture


def _width_mm(found: Any) -> float:
    """Of the modules, without the quiet zone."""
    pixels: float = found.position.top_right.x - found.position.top_left.x
    return pixels / DOTS_PER_INCH * 25.4


def _photographed(page: Image.Image, degrees: float) -> Image.Image:
    """Turned, and kept as a messenger keeps a picture: JPEG at quality 40."""
    turned = page.rotate(degrees, expand=True, fillcolor=255, resample=Image.Resampling.BILINEAR)
    packed = io.BytesIO()
    turned.save(packed, "JPEG", quality=40)
    return Image.open(packed).convert("L")


def _read(picture: Image.Image) -> str:
    found = zxingcpp.read_barcodes(picture, QR)
    assert len(found) == 1
    text: str = found[0].text
    return text
