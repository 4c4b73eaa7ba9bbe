"""A certificate as it is printed: the eleven fields of Decision 5772/QĐ-BYT in Vietnamese and English, read
from the certificate itself, and its code."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from documents.certificates import Certificate, Field, certificate
from ehr.exports.lines import day_text
from ehr.reads.models import Built
from kernel.access import Access
from kernel.clock import VIETNAM
from kernel.problems import Refused
from qr.certificates import svg
from store.database import Tx
from store.keys import KeyRing
from vaccination.certificates import queries
from vaccination.certificates.ending import dcc_of, text_of
from vaccination.certificates.products import PRODUCTS
from vaccination.certificates.reading import certificate_of

_DISEASES: Final = {"840539006": "COVID-19"}
# MA_QUOCTICH of treatment packages (QĐ 3176/QĐ-BYT). A personal number is no proof: people of Vietnamese
# origin without a nationality have one too (Luật Căn cước 2023).
_VIETNAM: Final = "000"
_NATIONALITY: Final = "Việt Nam / Viet Nam"


class ToPrint(Struct, frozen=True):
    """nationality: empty where no record says it, or not all say the same."""

    text: str
    expires_at: datetime
    nationality: str
    dose: str


async def gather(
    tx: Tx, keys: KeyRing, access: Access, certificate_id: UUID, now: datetime
) -> ToPrint | Refused:
    """A certificate that verifiers accept. Refused: certificate-not-found."""
    assert access.action == "print-paper"
    found = await certificate_of(tx, access, certificate_id, now)
    if isinstance(found, Refused):
        return found
    row, dose = found
    told = await queries.NATIONALITIES.all(tx, access.patient_id)
    nationality = _NATIONALITY if [one.code for one in told] == [_VIETNAM] else ""
    return ToPrint(text_of(keys, row), row.expires_at, nationality, dose)


def build(paper: ToPrint, now: datetime) -> Built:
    """The PDF. Blocks for as long as the page takes."""
    dcc, expires_on = dcc_of(paper.text), f"{paper.expires_at.astimezone(VIETNAM):%d/%m/%Y}"
    made = Certificate(
        fields=_fields(dcc, paper.nationality),
        code_svg=svg(paper.text),
        expires_on=expires_on,
        printed=f"In lúc / Printed {now.astimezone(VIETNAM):%H:%M %d/%m/%Y}",
    )
    return Built(certificate(made, now), [("Immunization", paper.dose)])


def _fields(dcc: dict[str, Any], nationality: str) -> list[Field]:
    """In the order of the decision."""
    name, dose = dcc["nam"], dcc["v"][0]
    product = next((one.name for one in PRODUCTS.products if one.mp == dose["mp"]), dose["mp"])
    rows = (
        ("Họ và tên", "Name", f"{name.get('fn', '')} {name.get('gn', '')}".strip()),
        ("Ngày sinh", "Date of birth", day_text(dcc["dob"])),
        ("Quốc tịch", "Nationality", nationality),
        ("Bệnh", "Disease targeted", _DISEASES.get(dose["tg"], dose["tg"])),
        ("Số mũi đã tiêm", "Doses received", str(dose["dn"])),
        ("Ngày tiêm", "Date of vaccination", day_text(dose["dt"])),
        ("Liều số", "Dose number", f"{dose['dn']} / {dose['sd']}"),
        ("Vắc xin", "Vaccine", PRODUCTS.vaccines.get(dose["vp"], dose["vp"])),
        ("Tên sản phẩm", "Product", product),
        ("Nhà sản xuất", "Manufacturer", PRODUCTS.makers.get(dose["ma"], dose["ma"])),
        ("Mã chứng nhận", "Certificate id", dose["ci"]),
    )
    fields = [Field(vi=vi, en=en, value=value or "—") for vi, en, value in rows]
    latin = " ".join(part for part in (name.get("fnt"), name.get("gnt")) if part).replace("<", " ")
    return [Field(vi=fields[0].vi, en=fields[0].en, value=fields[0].value, latin=latin), *fields[1:]]
