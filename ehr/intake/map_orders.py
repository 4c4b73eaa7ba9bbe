"""XML2 and XML3: medicines as prescribed, services and procedures."""

import re
from datetime import date, timedelta
from typing import Any, Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept, quantity
from ehr.intake.xml_fields import Row

# The official grammar states the days after `*`; prose says `trong 35 ngày` (vietnam.md §6).
_DAYS: Final = re.compile(r"(?:\*|trong)\s*0*([1-9][0-9]{0,2})\s*ngày", re.IGNORECASE)
# MA_NHOM of services that are no procedure: laboratory, examination, bed, transport (unconfirmed).
_NO_PROCEDURE: Final = frozenset({"1", "12", "13", "14", "15", "16"})


def map_medicine(row: Row, episode: Episode) -> None:
    """One line of XML2. LIEU_DUNG and CACH_DUNG are kept as written; no time is made up."""
    name, strength = row.required("TEN_THUOC"), row.text("HAM_LUONG")
    title = name if not strength or strength.lower() in name.lower() else f"{name} {strength}"
    ordered = row.moment("NGAY_YL", required=True)
    amount = row.decimal("SO_LUONG")
    codes = ((systems.DRUG, row.text("MA_THUOC")), (systems.DRUG_REGISTRATION, row.text("SO_DANG_KY")))
    dosage: dict[str, Any] = {
        "text": row.text("LIEU_DUNG"),
        "patientInstruction": row.text("CACH_DUNG"),
        "timing": _course(row.text("LIEU_DUNG"), ordered),
        "route": concept("", (systems.ROUTE, row.text("DUONG_DUNG"))),
    }
    dosage = {key: value for key, value in dosage.items() if value}
    episode.add(
        episode.numbered("MedicationRequest", "XML2", row.text("MA_THUOC") or name, row.text("NGAY_YL")),
        {
            "status": "completed" if episode.inpatient else "active",
            "intent": "order",
            "medicationCodeableConcept": concept(title, *codes),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "authoredOn": ordered,
            "requester": practitioner(row.text("MA_BAC_SI")),
            "dosageInstruction": [dosage] if dosage else [],
            "dispenseRequest": {"quantity": quantity(amount, row.text("DON_VI_TINH"))} if amount else {},
        },
        row,
    )


def _course(dose: str, ordered: str) -> dict[str, Any]:
    """The course that the dose text itself states: stop = NGAY_YL + days."""
    days = _DAYS.search(dose)
    if days is None or not ordered:
        return {}
    start = date.fromisoformat(ordered[:10])
    end = start + timedelta(days=int(days.group(1)) - 1)
    return {"repeat": {"boundsPeriod": {"start": start.isoformat(), "end": end.isoformat()}}}


def map_service(row: Row, episode: Episode) -> None:
    """One line of XML3; supplies (no MA_DICH_VU) are not part of a health record."""
    code = row.text("MA_DICH_VU")
    if not code:
        return
    name = row.required("TEN_DICH_VU")
    ordered = row.moment("NGAY_YL")
    done = row.moment("NGAY_TH_YL") or row.moment("NGAY_KQ") or ordered or episode.start
    service = concept(name, (systems.SERVICE, code))
    common = {"subject": episode.patient, "encounter": episode.encounter}
    doer = practitioner(row.first("NGUOI_THUC_HIEN", "MA_BAC_SI"))
    if row.text("MA_NHOM") in _NO_PROCEDURE:
        reference = episode.numbered("ServiceRequest", "XML3", code, row.text("NGAY_YL"))
        order = {"status": "completed", "intent": "order", "code": service, "authoredOn": ordered}
        episode.add(reference, {**order, **common, "requester": practitioner(row.text("MA_BAC_SI"))}, row)
        return
    reference = episode.numbered("Procedure", "XML3", code, row.text("NGAY_YL"))
    performer = [{"actor": doer}] if doer else []
    act = {"status": "completed", "code": service, "performedDateTime": done, "performer": performer}
    episode.add(reference, {**act, **common}, row)


def practitioner(code: str) -> dict[str, Any]:
    """A practitioner as the file names one: the licence number of the first, for display only."""
    first = code.split(";", maxsplit=1)[0].strip()
    return {"identifier": {"system": systems.PROVIDER_CODE, "value": first}} if first else {}
