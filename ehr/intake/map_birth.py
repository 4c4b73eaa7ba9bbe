"""XML9: a birth note. It is the mother's paper, and the beginning of the child's own book.

Who the mother is stands in the child's facts alone (`mother_number`); names and numbers of parents are
kept in no document.
"""

from typing import Final

from ehr.intake import systems
from ehr.intake.bundle_person import is_identifier
from ehr.intake.episode import Episode, concept, quantity
from ehr.intake.map_person import map_patient, read_born, read_cards, read_sex
from ehr.intake.models import PersonFacts, Unit
from ehr.intake.papers import Paper, add_paper
from ehr.intake.xml_fields import Row

_YES: Final = {"0": "Không", "1": "Có"}
_LINES: Final = {
    "NGAY_SINH_CON": "Ngày sinh con",
    "NOI_SINH_CON": "Nơi sinh",
    "GIOI_TINH_CON": "Giới tính con",
    "CAN_NANG_CON": "Cân nặng con (g)",
    "TINH_TRANG_CON": "Tình trạng con",
    "SO_CON": "Số con trong lần sinh này",
    "LAN_SINH": "Lần sinh",
    "SO_CON_SONG": "Số con hiện sống",
    "SINHCON_PHAUTHUAT": "Sinh con phải phẫu thuật",
    "SINHCON_DUOI32TUAN": "Sinh con dưới 32 tuần tuổi",
    "GHI_CHU": "Ghi chú",
}
_NOTE: Final = Paper(
    kind="birth",
    title="Giấy chứng sinh",
    lines=_LINES,
    numbers=("SO", "QUYEN_SO"),
    period=("", ""),
    words={
        "GIOI_TINH_CON": {"1": "Nam", "2": "Nữ", "3": "Chưa xác định"},
        "SINHCON_PHAUTHUAT": _YES,
        "SINHCON_DUOI32TUAN": _YES,
    },
)


def map_birth(row: Row, episode: Episode) -> None:
    """The note in the mother's episode."""
    add_paper(_NOTE, row, episode, identity_of(row))


def identity_of(row: Row) -> str:
    """What one note among several of a birth is found again by."""
    return row.text("SO") or "\n".join(
        (row.text("NGAY_SINH_CON"), row.text("GIOI_TINH_CON"), row.text("HO_TEN_CON"))
    )


def read_newborn(row: Row, episode: Episode, key: str, where: str) -> Unit:
    """The child's own unit; `episode` is one of its own, without a visit."""
    person = _read_child(row, episode)
    episode.start = person.birth_date or ""
    map_patient(Row(row.table, row.where, {}), person, episode)
    _map_mother(row, episode)
    _map_weight(row, episode)
    _map_state(row, episode)
    add_paper(_NOTE, row, episode)
    return Unit(
        name=where,
        key=f"newborn:{key}",
        person=person,
        items=episode.items,
        snapshot=True,
        facility_code=episode.facility_code,
        documents=("XML9",),
    )


def _read_child(row: Row, episode: Episode) -> PersonFacts:
    mother = row.text("SO_CCCD_NND").replace(" ", "")
    return PersonFacts(
        identifiers=tuple(read_cards(row, "MA_THE_TAM")),
        name=row.text("HO_TEN_CON") or None,
        birth_date=read_born(row, "NGAY_SINH_CON", episode)[0] or None,
        sex=read_sex(row, "GIOI_TINH_CON"),
        newborn=True,
        mother_number=mother if is_identifier("national-id", mother) else None,
        mother_name=row.text("HO_TEN_NND") or None,
        mother_birth_date=read_born(row, "NGAYSINH_NND", episode)[0] or None
        if row.text("NGAYSINH_NND")
        else None,
    )


def _map_mother(row: Row, episode: Episode) -> None:
    """That the note names a mother or carer; nameless.py keeps nothing else of a RelatedPerson."""
    if not row.first("HO_TEN_NND", "SO_CCCD_NND"):
        return
    kind = concept("Mẹ hoặc người nuôi dưỡng", (systems.ROLE_CODE, "PRN"))
    body = {"patient": episode.patient, "relationship": [kind]}
    episode.add(episode.name("RelatedPerson"), body, row, whole_row=False)


def _map_weight(row: Row, episode: Episode) -> None:
    if grams := row.decimal("CAN_NANG_CON"):
        episode.add(
            episode.name("Observation", "8339-4"),
            {
                "status": "final",
                "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
                "code": concept("Cân nặng lúc sinh", (systems.LOINC, "8339-4")),
                "subject": episode.patient,
                "effectiveDateTime": row.moment("NGAY_SINH_CON") or episode.start,
                "valueQuantity": quantity(grams, "g", (systems.UCUM, "g")),
            },
            row,
            whole_row=False,
        )


def _map_state(row: Row, episode: Episode) -> None:
    if text := row.text("TINH_TRANG_CON"):
        episode.add(
            episode.name("ClinicalImpression", "birth"),
            {
                "status": "completed",
                "subject": episode.patient,
                "date": row.moment("NGAY_SINH_CON") or episode.start,
                "summary": text,
            },
            row,
            whole_row=False,
        )
