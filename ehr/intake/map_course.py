"""XML5: the course of the stay as written, and the vital signs inside it."""

import re
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept, quantity
from ehr.intake.map_orders import practitioner
from ehr.intake.xml_fields import Row

# CSST<M75_T37_HA120/70_NT18_SP97_HL2>; HL has no published meaning and stays in the text alone.
_CSST: Final = re.compile(r"CSST\s{0,5}[:=]?\s{0,5}[<(\[]([^<>()\[\]]{1,200})[>)\]]", re.IGNORECASE)
_SIGNS: Final = {
    "M": ("8867-4", "Mạch", "lần/phút", "/min"),
    "T": ("8310-5", "Nhiệt độ", "°C", "Cel"),
    "NT": ("9279-1", "Nhịp thở", "lần/phút", "/min"),
    "SP": ("59408-5", "SpO2", "%", "%"),
}
_SIGN: Final = re.compile(
    r"(M|T|NT|SP)\s{0,3}[:=]?\s{0,3}([0-9]{1,3}(?:[.,][0-9]{1,2})?)\s{0,3}(?:[o°º]?\s?C|%|l/p|lần/phút)?\Z",
    re.IGNORECASE,
)
_PRESSURE: Final = re.compile(
    r"HA\s{0,3}[:=]?\s{0,3}([0-9]{2,3})\s{0,3}/\s{0,3}([0-9]{2,3})\s{0,3}(?:mmHg)?\Z", re.IGNORECASE
)
_PRESSURES: Final = (("8480-6", "Huyết áp tâm thu"), ("8462-4", "Huyết áp tâm trương"))


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
        if pressure := _PRESSURE.match(part.strip()):
            _add_sign("85354-9", "Huyết áp", _components(pressure), moment, row, episode)
        elif sign := _SIGN.match(part.strip()):
            code, name, unit, ucum = _SIGNS[sign.group(1).upper()]
            value = quantity(sign.group(2).replace(",", "."), unit, (systems.UCUM, ucum))
            _add_sign(code, name, {"valueQuantity": value}, moment, row, episode)


def _components(pressure: re.Match[str]) -> dict[str, Any]:
    return {
        "component": [
            {
                "code": concept(name, (systems.LOINC, code)),
                "valueQuantity": quantity(value, "mmHg", (systems.UCUM, "mm[Hg]")),
            }
            for (code, name), value in zip(_PRESSURES, pressure.groups(), strict=True)
        ]
    }


def _add_sign(code: str, name: str, value: dict[str, Any], moment: str, row: Row, episode: Episode) -> None:
    episode.add(
        episode.numbered("Observation", "XML5", code, row.text("THOI_DIEM_DBLS")),
        {
            "status": "final",
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "vital-signs"))],
            "code": concept(name, (systems.LOINC, code)),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": moment,
            **value,
        },
        row,
        whole_row=False,
    )
