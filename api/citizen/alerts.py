"""Alerts of measurements: the list, and the word that one was seen."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from api.acting import begin_for
from api.citizen.alert_rules import ACT_PROBLEMS, TAGS
from api.problems import INVALID_FIELD
from api.reading import MEASURED_PROBLEMS, Cursor, Limit, read_measured
from api.request import Call, answer
from audit.service import record_act
from ehr.reads.models import Built
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT
from kernel.problems import Refused
from store.database import Tx
from vitals.telling import acking
from vitals.telling.models import AckBody, Acked, AlertList
from vitals.telling.problems import ALERT_WORSENED, NO_SUCH_ALERT, SNOOZE_TOO_LONG

PATH = "/v1/me/alerts"


@get(
    PATH,
    actors=("citizen",),
    operation_id="read_alerts",
    tags=TAGS,
    problems=(*MEASURED_PROBLEMS, BAD_CURSOR),
    conditional=True,
)
async def list_alerts(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[AlertList]:
    """What lay outside the limits, newest first, in words that say what to do. Not a diagnosis."""

    async def build(tx: Tx, access: Access) -> Built:
        return await acking.read(tx, access, cursor, limit or PAGE_DEFAULT)

    return await read_measured(call, None, "read-section", build, "alerts")


@post(
    PATH + "/{alert_id:uuid}/ack",
    status_code=200,
    actors=("citizen",),
    operation_id="acknowledge_alert",
    tags=TAGS,
    problems=(ALERT_WORSENED, INVALID_FIELD, NO_SUCH_ALERT, SNOOZE_TOO_LONG, *ACT_PROBLEMS),
)
async def acknowledge(
    alert_id: FromPath[UUID], data: JSONBody[AckBody], call: NamedDependency[Call]
) -> Response[Acked]:
    """Say that an alert was seen.

    Nobody further is told, those who were hear of it, and this direction is silent for a while. The other
    direction and what is more severe are not.
    """
    async with begin_for(call, "manage-alerts") as (tx, access):
        done = await acking.ack(tx, access, alert_id, data, call.now)
        if not isinstance(done, Refused):
            await record_act(
                tx,
                access.patient_id,
                access.actor,
                "vitals:alert:ack",
                request_id=call.request_id,
                now=call.now,
                on_behalf_of=access.on_behalf_of,
            )
        return answer(done)


handlers: list[Any] = [list_alerts, acknowledge]
