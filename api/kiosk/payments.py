"""What a kiosk's payment terminal said: a reference and a status, no card and no sum."""

from typing import Annotated, Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.kiosk.device import KIOSK, TAGS
from api.request import Call, answer
from identity.problems import TOO_MANY
from kernel.problems import Refused
from visits.kiosk.enrolment import station_of
from visits.kiosk.models import REFERENCE, Payment, PaymentSaid
from visits.kiosk.payments import note
from visits.kiosk.problems import KIOSK_NOT_PLACED, PAYMENT_ENDED, PAYMENT_REFERENCE


class KioskPayment(Struct, kw_only=True, forbid_unknown_fields=True):
    """reference: the transaction id of the terminal. It stands in the body: some ids hold a slash."""

    reference: Annotated[str, Meta(pattern=REFERENCE)]
    said: PaymentSaid


@post(
    "/v1/kiosk/payments",
    actors=KIOSK,
    operation_id="kiosk_payment",
    tags=TAGS,
    status_code=200,
    problems=(KIOSK_NOT_PLACED, PAYMENT_ENDED, PAYMENT_REFERENCE, TOO_MANY),
)
async def note_payment(data: JSONBody[KioskPayment], call: NamedDependency[Call]) -> Response[Payment]:
    """Note how a payment stands; the same again changes nothing, and what ended stays as it ended."""
    async with call.begin() as (tx, actor):
        station = await station_of(tx, actor)
        if isinstance(station, Refused):
            return answer(station)
        return answer(await note(tx, station, data.reference, data.said, call.now))


handlers: list[Any] = [note_payment]
