"""A form of the demo's hospital, published by its two administrators, and what Hùng answered before his
appointment. The questions are ours, for show, and stand in for no form of any authority."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from consent.decision import decide
from healthbook.demo_accounts import Activated, granted
from healthbook.demo_sheet import DemoPractitioner
from identity.models import Facility
from kernel.access import Actor
from kernel.ids import uuid7
from store.database import Store
from visits.booking.service import own_list
from visits.declarations import publishing, service
from visits.declarations.fhir import Questionnaire, QuestionnaireResponse
from visits.declarations.models import DeclarationBody, NewForm

WHO: Final = "hung"
_LAST: Final = UUID(int=2**128 - 1)
FORM: Final[dict[str, Any]] = {
    "resourceType": "Questionnaire",
    "title": "Khai trước khi khám (mẫu minh họa)",
    "description": "Câu hỏi minh họa của bản thử, không phải mẫu của cơ quan nào.",
    "item": [
        {"linkId": "fever", "type": "boolean", "text": "Hôm nay có sốt không?", "required": True},
        {
            "linkId": "degrees",
            "type": "decimal",
            "text": "Nhiệt độ đo được (°C)",
            "required": True,
            "enableWhen": [{"question": "fever", "operator": "=", "answerBoolean": True}],
            "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueDecimal": 34},
                {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueDecimal": 43},
            ],
        },
        {
            "linkId": "signs",
            "type": "choice",
            "text": "Đang có dấu hiệu nào?",
            "repeats": True,
            "answerOption": [
                {"valueCoding": {"code": "cough", "display": "Ho"}},
                {"valueCoding": {"code": "sore-throat", "display": "Đau họng"}},
                {"valueCoding": {"code": "short-breath", "display": "Khó thở"}},
            ],
        },
        {"linkId": "note", "type": "text", "text": "Điều muốn nói với bác sĩ", "maxLength": 300},
    ],
}
ANSWERS: Final[dict[str, Any]] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {"linkId": "fever", "answer": [{"valueBoolean": False}]},
        {"linkId": "signs", "answer": [{"valueCoding": {"code": "cough"}}]},
    ],
}


async def fill_in(
    store: Store,
    citizens: list[Activated],
    administrators: list[DemoPractitioner],
    facility: Facility,
    now: datetime,
) -> None:
    """The form, and one answer to it for a booked appointment at the same hospital."""
    new = NewForm(
        code="truoc-kham",
        reason="Mẫu minh họa của bản thử",
        questionnaire=msgspec.convert(FORM, Questionnaire),
    )
    first, second = [_administrator(card, facility) for card in administrators]
    async with store.transaction() as tx:
        proposed = granted(await publishing.propose(tx, first, new, now))
        form = granted(await publishing.publish(tx, second, proposed.form_id, now))
    who = next(one.actor for one in citizens if one.card.key == WHO)
    actor = replace(who, probation=False)
    async with store.transaction() as tx:
        access = granted(
            await decide(tx, actor, actor.actor_id, "manage-appointments", "PATRQT", now, keys=store.keys)
        )
        (booked,) = await own_list(tx, access, _LAST, 1)
        body = DeclarationBody(
            form_id=form.form_id,
            booking_id=booked.appointment_id,
            answers=msgspec.convert(ANSWERS, QuestionnaireResponse),
        )
        checked = granted(await service.check(tx, access, body, now))
        granted(await service.declare(tx, store.keys, access, checked, str(uuid7(now)), now))


def _administrator(card: DemoPractitioner, facility: Facility) -> Actor:
    return Actor(
        kind="practitioner",
        actor_id=UUID(card.practitioner_id),
        name=card.name,
        role="facility-admin",
        facility_id=facility.facility_id,
        facility_name=facility.name,
    )
