"""The vaccination book as it is answered and printed."""

from datetime import datetime
from typing import Final, TypeAlias

from msgspec import Struct

from documents.pdf import Block, Line, Paper, book
from ehr.exports.lines import day_text
from ehr.exports.papers import HIDDEN_LEFT_OUT, NO_INFORMATION
from ehr.reads.models import Built
from ehr.reads.notices import notice_for
from ehr.reads.raw import encode
from identity.models import Demographics
from identity.people import person_of
from kernel.access import Access
from kernel.clock import VIETNAM
from store.database import Tx
from store.keys import KeyRing
from vaccination.book.antigens import ANTIGENS, CATALOGUE, PRODUCTS, VERSION
from vaccination.book.models import (
    AntigenChoice,
    AntigenDoses,
    Dose,
    DoseChoices,
    ProductChoice,
    VaccinationBook,
)
from vaccination.book.reading import doses_and_more, doses_of, shown_papers, tombstones_of
from vaccination.book.texts import FOOT, NOT_THE_SCHEDULE, STATE_VI

_SEXES: Final = {"male": "Nam", "female": "Nữ"}
Shown: TypeAlias = list[tuple[str, str]]


class ToPrint(Struct, frozen=True):
    """What the printed book is made of, read in one transaction."""

    known: Demographics | None
    doses: list[Dose]


async def read(tx: Tx, access: Access, now: datetime) -> Built:
    """The book as far as the reader sees it. Two statements, three where a picture stands behind a dose."""
    found, more = await doses_and_more(tx, access, now)
    doses = await shown_papers(tx, access, found, now)
    tombstones = await tombstones_of(tx, access, doses, now)
    counted = [dose for dose in doses if dose.copy_of is None]
    answer = VaccinationBook(
        doses=counted,
        antigens=by_antigen(doses),
        tombstones=tombstones,
        unknown=sum(1 for dose in counted if not dose.antigens),
        more=more,
        catalogue_version=VERSION,
        notice=notice_for(access),
    )
    return Built(
        encode(answer), _shown(doses) + [("Immunization", one.immunization_id) for one in tombstones]
    )


def by_antigen(doses: list[Dose]) -> list[AntigenDoses]:
    """Each dose of the book once, by what it protects against, in the catalogue's order."""
    oldest = [one for one in doses[::-1] if one.given] + [one for one in doses if not one.given]
    found: dict[str, list[str]] = {key: [] for key in ANTIGENS}
    for dose in oldest:
        for key in dose.counts_for:
            found[key].append(dose.immunization_id)
    return [
        AntigenDoses(antigen=key, name_vi=ANTIGENS[key].name_vi, name_en=ANTIGENS[key].name_en, doses=ids)
        for key, ids in found.items()
        if ids
    ]


CHOICES: Final = DoseChoices(
    antigens=[
        AntigenChoice(antigen=one.key, name_vi=one.name_vi, name_en=one.name_en) for one in CATALOGUE.antigens
    ],
    products=[
        ProductChoice(name=one.name, manufacturer=one.manufacturer, antigens=list(one.antigens))
        for one in PRODUCTS.products
        if one.name is not None
    ],
    catalogue_version=VERSION,
    source=CATALOGUE.source,
    confirmed=CATALOGUE.confirmed and PRODUCTS.confirmed,
)


async def gather(tx: Tx, keys: KeyRing, access: Access, now: datetime) -> ToPrint:
    """What is handed over leaves out what the person hides."""
    doses = [dose for dose in await doses_of(tx, access, now) if not dose.hidden]
    return ToPrint(await person_of(tx, keys, access), doses)


def build(paper: ToPrint, now: datetime) -> Built:
    """The book on A4. Blocks for as long as the pages take."""
    counted = [dose for dose in paper.doses if dose.copy_of is None]
    days = {dose.immunization_id: day_text(dose.given) or "không rõ ngày" for dose in counted}
    made = Paper(
        title="Sổ tiêm chủng",
        name=(paper.known.name if paper.known else None) or "Chưa rõ tên",
        facts=_about(paper.known),
        blocks=[
            Block(
                key="doses",
                title="Các mũi đã tiêm",
                lines=[_line(one) for one in counted],
                empty=NO_INFORMATION,
            ),
            Block(
                key="antigens",
                title="Theo bệnh được phòng",
                lines=[
                    Line(
                        title=f"{one.name_vi} ({one.name_en})",
                        detail=f"ghi nhận {len(one.doses)} mũi: "
                        + ", ".join(days[ident] for ident in one.doses),
                    )
                    for one in by_antigen(paper.doses)
                ],
                empty=NO_INFORMATION,
            ),
        ],
        notices=[NOT_THE_SCHEDULE, FOOT, HIDDEN_LEFT_OUT],
        printed=f"In từ sổ lúc {now.astimezone(VIETNAM):%H:%M ngày %d/%m/%Y}",
    )
    return Built(book(made, now), _shown(paper.doses))


def _shown(doses: list[Dose]) -> Shown:
    return [("Immunization", dose.immunization_id) for dose in doses]


def _about(known: Demographics | None) -> list[str]:
    born = day_text(known.birth_date) if known else ""
    told = (_SEXES.get((known.sex if known else None) or ""), f"sinh {born}" if born else None)
    return [text for text in told if text]


def _line(dose: Dose) -> Line:
    of = f"/{dose.series_doses}" if dose.series_doses else ""
    parts = (
        f"mũi {dose.dose_number}{of}" if dose.dose_number else "",
        ", ".join(ANTIGENS[key].name_vi for key in dose.antigens),
        dose.manufacturer or "",
        f"lô {dose.lot}" if dose.lot else "",
        _standing(dose),
    )
    return Line(
        title=dose.title,
        detail="; ".join(part for part in parts if part),
        when=day_text(dose.given),
        where=dose.facility_name or "",
        mark="" if dose.state == "verified" else "alert",
    )


def _standing(dose: Dose) -> str:
    if dose.verdict is None:
        return STATE_VI[dose.state]
    told = "bác sĩ xác nhận" if dose.is_counted else "bác sĩ cho là không đúng"
    return f"tự khai, {told}"
