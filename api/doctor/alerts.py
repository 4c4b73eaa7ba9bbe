"""What lay outside a patient's limits, within a grant that names what the person measures."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.doctor.vitals import ACTORS, BASE, PROBLEMS, TAGS
from api.reading import Cursor, Limit, read_measured
from api.request import Call
from ehr.reads.models import Built
from kernel.access import Access
from kernel.paging import BAD_CURSOR, PAGE_DEFAULT
from store.database import Tx
from vitals.telling import acking
from vitals.telling.models import AlertList


@get(
    BASE + "/alerts",
    actors=ACTORS,
    operation_id="read_patient_alerts",
    tags=TAGS,
    problems=(*PROBLEMS, BAD_CURSOR),
    conditional=True,
)
async def list_alerts(
    patient_id: FromPath[UUID],
    call: NamedDependency[Call],
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[AlertList]:
    """What lay outside the limits in the days of the grant, newest first. Not a diagnosis, and no monitoring.

    Limits that relatives keep for their own phones are theirs alone.
    """

    async def build(tx: Tx, access: Access) -> Built:
        return await acking.read(tx, access, cursor, limit or PAGE_DEFAULT)

    return await read_measured(call, patient_id, "read-section", build, "alerts")


handlers: list[Any] = [list_alerts]
