"""The person's referral letters, and how far each is."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from api.reading import OWN_PROBLEMS, read_beside_record
from api.request import Call
from ehr.reads.models import Built
from ehr.referrals import service as referrals
from ehr.referrals.models import OwnReferrals
from family.problems import NOT_IN_YOUR_CARE
from kernel.access import Access
from store.database import Tx


@get(
    "/v1/me/referrals",
    actors=("citizen",),
    operation_id="read_own_referrals",
    tags=["referrals"],
    problems=(*OWN_PROBLEMS, NOT_IN_YOUR_CARE),
)
async def read_referrals(call: NamedDependency[Call]) -> Response[OwnReferrals]:
    """Referral letters, newest first: sent, received, booked, seen, answered."""

    async def build(tx: Tx, access: Access) -> Built:
        return await referrals.read_own(tx, access, call.now)

    return await read_beside_record(call, "read-referrals", build, is_logged=True)


handlers: list[Any] = [read_referrals]
