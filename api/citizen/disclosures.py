"""What partners were handed of the own book: which groups, when, under which consent."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.reading import OWN_PROBLEMS, Cursor, read_beside_record
from api.request import Call
from ehr.reads.models import Built
from kernel.access import Access
from partners.disclosures import service as disclosures
from partners.disclosures.service import DisclosurePage
from store.database import Tx

OfConsent = Annotated[UUID | None, QueryParameter(description="Only what left under this consent.")]


@get(
    "/v1/me/disclosures",
    actors=("citizen",),
    operation_id="list_disclosures",
    tags=["connected-apps"],
    problems=OWN_PROBLEMS,
)
async def list_disclosures(
    call: NamedDependency[Call], consent_id: OfConsent = None, cursor: Cursor = None
) -> Response[DisclosurePage]:
    """Every answer to a partner, the newest first; reading this is logged as a look at the log."""

    async def build(tx: Tx, access: Access) -> Built:
        page = await disclosures.page_of(tx, access, consent_id, cursor)
        return Built(
            msgspec.json.encode(page), [("Disclosure", str(one.disclosure_id)) for one in page.items]
        )

    return await read_beside_record(call, "read-access-log", build, is_logged=True)


handlers: list[Any] = [list_disclosures]
