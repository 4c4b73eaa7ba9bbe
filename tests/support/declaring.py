"""A form of declarations and answers to it, for tests; check-ins and bookings to declare for."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from identity.models import Facility
from kernel.ids import uuid7
from store.database import Store
from tests.support.http import bearer
from tests.support.people import Doctor
from visits.declarations.fhir import Questionnaire

_MIN = "http://hl7.org/fhir/StructureDefinition/minValue"
_MAX = "http://hl7.org/fhir/StructureDefinition/maxValue"
FORM: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "title": "Khai trước khi khám (mẫu thử)",
    "item": [
        {"linkId": "hello", "type": "display", "text": "Trả lời theo tình trạng hôm nay."},
        {"linkId": "fever", "type": "boolean", "text": "Bạn có sốt không?", "required": True},
        {
            "linkId": "degrees",
            "type": "decimal",
            "text": "Nhiệt độ đo được (°C)?",
            "required": True,
            "enableWhen": [{"question": "fever", "operator": "=", "answerBoolean": True}],
            "extension": [{"url": _MIN, "valueDecimal": 35}, {"url": _MAX, "valueDecimal": 43}],
        },
        {
            "linkId": "more",
            "type": "group",
            "text": "Triệu chứng",
            "item": [
                {
                    "linkId": "symptoms",
                    "type": "choice",
                    "text": "Bạn có triệu chứng nào?",
                    "repeats": True,
                    "answerOption": [
                        {"valueCoding": {"code": "cough", "display": "Ho"}},
                        {"valueCoding": {"code": "breath", "display": "Khó thở"}},
                    ],
                },
                {
                    "linkId": "since",
                    "type": "date",
                    "text": "Từ ngày nào?",
                    "extension": [{"url": _MAX, "valueDate": "2100-12-31"}],
                },
                {"linkId": "note", "type": "text", "text": "Điều cần nói thêm", "maxLength": 300},
            ],
        },
    ],
}


def form_of(*items: dict[str, Any]) -> Questionnaire:
    """A form with these items."""
    made = {"resourceType": "Questionnaire", "title": "Mẫu thử", "item": list(items)}
    return msgspec.convert(made, Questionnaire)


def response_of(*items: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items)}


def answered(
    fever: Any = False,
    degrees: float | None = None,
    symptoms: list[str] | None = None,
    since: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Answers to FORM; fever as text is of another type."""
    kind = "valueBoolean" if isinstance(fever, bool) else "valueString"
    items: list[dict[str, Any]] = [{"linkId": "fever", "answer": [{kind: fever}]}]
    if degrees is not None:
        items.append({"linkId": "degrees", "answer": [{"valueDecimal": degrees}]})
    inside: list[dict[str, Any]] = []
    if symptoms:
        codes = [{"valueCoding": {"code": code}} for code in symptoms]
        inside.append({"linkId": "symptoms", "answer": codes})
    if since is not None:
        inside.append({"linkId": "since", "answer": [{"valueDate": since}]})
    if note is not None:
        inside.append({"linkId": "note", "answer": [{"valueString": note}]})
    if inside:
        items.append({"linkId": "more", "item": inside})
    return response_of(*items)


async def check_in(
    store: Store,
    patient_id: UUID,
    facility: Facility,
    at: datetime,
    *,
    unit_id: UUID | None = None,
    means: str = "citizen-qr",
) -> UUID:
    """A check-in as the desk leaves one."""
    ident = uuid7(at)
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO check_in (patient_id, check_in_id, facility_id, means, code_id, recorded_by,"
            " recorded_at, unit_id) VALUES ($1, $2, $3, $4, $2, $2, $5, $6)",
            patient_id,
            ident,
            facility.facility_id,
            means,
            at,
            unit_id,
        )
    return ident


async def booking(
    store: Store,
    patient_id: UUID,
    facility: Facility,
    starts_at: datetime,
    *,
    state: str = "booked",
    unit_id: UUID | None = None,
) -> UUID:
    """The person's end of an appointment."""
    ident = uuid7(starts_at)
    async with store.transaction() as tx:
        await tx.execute(
            "INSERT INTO appointment (patient_id, appointment_id, facility_id, schedule_id, slot_id, unit_id,"
            " starts_at, ends_at, state, sequence, booked_by, made_at, moved_at)"
            " VALUES ($1, $2, $3, $2, $2, $4, $5, $6, $7, 0, $1, $5, $5)",
            patient_id,
            ident,
            facility.facility_id,
            unit_id,
            starts_at,
            starts_at + timedelta(minutes=30),
            state,
        )
    return ident


async def published(
    client: httpx.AsyncClient, first: dict[str, str], second: dict[str, str], **more: Any
) -> dict[str, Any]:
    """FORM, proposed by one account and published by another."""
    body = {"code": "truoc-kham", "reason": "Mẫu khai trước khám của cơ sở", "questionnaire": FORM} | more
    made = await client.post("/v1/admin/declaration-forms", json=body, headers=first)
    assert made.status_code == 201, made.text
    path = f"/v1/admin/declaration-forms/{made.json()['form_id']}/publish"
    out = await client.post(path, headers=second)
    assert out.status_code == 200, out.text
    found: dict[str, Any] = out.json()
    return found


async def declare(
    client: httpx.AsyncClient, headers: dict[str, str], form: dict[str, Any], **more: Any
) -> httpx.Response:
    """more: check_in_id or booking_id, and answers."""
    body = {"form_id": form["form_id"], "answers": answered()} | {
        key: str(value) if isinstance(value, UUID) else value for key, value in more.items()
    }
    return await client.post("/v1/me/declarations", json=body, headers=headers)


def staff(doctor: Doctor) -> dict[str, str]:
    return bearer(doctor.token)
