"""Which facilities there are: the public register, for whoever wants to ask one of them."""

from typing import Annotated, Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from api.request import Call, answer
from identity.models import ListedFacility
from identity.register.facilities import facilities_named
from kernel.clock import local_day


class Facilities(Struct, kw_only=True):
    """At most 20, by name; more words find fewer."""

    items: list[ListedFacility]


@get("/v1/facilities", actors=("citizen",), operation_id="find_facilities", tags=["consultations"])
async def find(
    call: NamedDependency[Call],
    q: Annotated[str, QueryParameter(min_length=2, max_length=100, description="Of the name, or the code.")],
) -> Response[Facilities]:
    """Find a facility by a part of its name, tone marks aside, or by its code."""
    async with call.begin() as (tx, _):
        return answer(Facilities(items=await facilities_named(tx, q, local_day(call.now))))


handlers: list[Any] = [find]
