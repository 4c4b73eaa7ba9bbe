"""XML5: the course of the stay as written, and the vital signs inside it."""

import re
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept
from ehr.intake.map_orders import practitioner
from ehr.intake.signs import PRESSURE, SIGNS, Sign, SignName, pressure
from ehr.intake.xml_fields import Row

# CSST<M75_T37_HA120/70_NT18_SP97_HL2>; HL has no published meaning and stays in the text alone.
_CSST: Final = re.compile(r"CSST\s{0,5}[:=]?\s{0,5}[<(\[]([^<>()\[\]]{1,200})[>)\]]", re.IGNORECASE)
_SIGNS: Final[dict[str, SignName]] = {
    "M": "pulse",
    "T": "temperature",
    "NT": "respiration",
    "SP": "oxygen-saturation",
}
_SIGN: Final = re.compile(
    r"(M|T|NT|SP)\s{0,3}[:=]?\s{0,3}([0-9]{1,3}(?:[.,][0-9]{1,2})?)\s{0,3}(?:[o°º]?\s?C|%|l/p|lần/phút)?\Z",
    re.IGNORECASE,
)
_PRESSURE_TEXT: Final = re.compile(
    r"HA\s{0,3}[:=]?\s{0,3}([0-9]{2,3})\s{0,3}/\s{0,3}([0-9]{2,3})\s{0,3}(?:mmHg)?\Z", re.IGNORECASE
)


def map_course(row: Row, episode: Episode) -> None:
    """One line of XML5: the note as written, and the vital signs inside it."""
    moment = row.moment("THOI_DIEM_DBLS") or episode.start
    text, stage = row.text("DIEN_BIEN_LS"), row.text("GIAI_DOAN_BENH")
    notes = [t for t in (text, row.text("HOI_CHAN"), row.text("PHAU_THUAT")) if t]
    if not notes and not stage:
        return
    episode.add(
        episode.numbered("ClinicalImpression", "XML5", row.text("THOI_DIEM_DBLS")),
        {
            "status": "completed",
            "subject": episode.patient,
            "encounter": episode.encounter,
            "date": moment,
            "assessor": practitioner(row.text("NGUOI_THUC_HIEN")),
            "summary": "\n".join(notes),
            "finding": [{"itemCodeableConcept": {"text": stage}}] if stage else [],
        },
        row,
    )
    for block in _CSST.findall(text):
        _map_signs(block, moment, row, episode)


def _map_signs(block: str, moment: str, row: Row, episode: Episode) -> None:
    for part in block.split("_"):
        if measured := _PRESSURE_TEXT.match(part.strip()):
            _add_sign(PRESSURE, pressure(measured.group(1), measured.group(2)), moment, row, episode)
        elif found := _SIGN.match(part.strip()):
            sign = SIGNS[_SIGNS[found.group(1).upper()]]
            _add_sign(sign, sign.amount(found.group(2).replace(",", ".")), moment, row, episode)


def _add_sign(sign: Sign, value: dict[str, Any], moment: str, row: Row, episode: Episode) -> None:
    episode.add(
        episode.numbered("Observation", "XML5", sign.code, row.text("THOI_DIEM_DBLS")),
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
            "code": sign.concept,
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": moment,
            **value,
        },
        row,
        whole_row=False,
    )
