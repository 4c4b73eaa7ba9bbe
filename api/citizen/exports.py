"""The person takes the own book along: as a FHIR document, as all of its resources, on paper.

Each is an act of the device's step-up key: the header X-Step-Up holds base64url of the JSON of a SignedAct.
The device signs JCS of: typ export-record, environment, patient_id, device_id, nonce, iat, exp and export
(`ips`, `bundle` or `book`). What was taken along is the person's own to guard: an app says so before it
shares a file.
"""

from typing import Annotated, Any, get_args

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.contents import stream_content
from api.exporting import BOOK, BUNDLE, FHIR, IPS, PDF, export_own
from api.problems import INVALID_FIELD, UNAVAILABLE
from api.reading import OWN_PROBLEMS
from api.request import Call
from ehr.exports.contents import CONTENT_NOT_FOUND
from ehr.exports.problems import CONTENT_TOO_LARGE, EXPORT_BUSY, EXPORT_OVERTAKEN, EXPORT_TOO_LARGE
from identity.problems import STEP_UP_REFUSED
from store.media_types import MediaType

TAGS = ["exports"]
BASE_PROBLEMS = tuple(problem for problem in OWN_PROBLEMS if problem.code != "bad-cursor")
PROBLEMS = (*BASE_PROBLEMS, STEP_UP_REFUSED, EXPORT_BUSY, EXPORT_OVERTAKEN)
CONTENT_PROBLEMS = (INVALID_FIELD, CONTENT_NOT_FOUND, CONTENT_TOO_LARGE, EXPORT_BUSY, UNAVAILABLE)
ATTACHED = get_args(MediaType)

AttachmentNumber = Annotated[
    int, QueryParameter(name="attachment", ge=0, le=99, description="Which attachment, from 0.")
]


@get(
    "/v1/me/exports/ips",
    actors=("citizen",),
    operation_id="export_own_ips",
    tags=TAGS,
    problems=PROBLEMS,
    step_up=True,
    produces=FHIR,
)
async def own_ips(call: NamedDependency[Call]) -> Response[bytes]:
    """The patient summary as a FHIR document (IPS 2.0.0)."""
    return await export_own(call, IPS)


@get(
    "/v1/me/exports/bundle",
    actors=("citizen",),
    operation_id="export_own_bundle",
    tags=TAGS,
    problems=(*PROBLEMS, EXPORT_TOO_LARGE),
    step_up=True,
    produces=FHIR,
)
async def own_bundle(call: NamedDependency[Call]) -> Response[bytes]:
    """Everything in the book as a FHIR R4 Bundle."""
    return await export_own(call, BUNDLE)


@get(
    "/v1/me/exports/book.pdf",
    actors=("citizen",),
    operation_id="export_own_book",
    tags=TAGS,
    problems=PROBLEMS,
    step_up=True,
    produces=PDF,
)
async def own_book(call: NamedDependency[Call]) -> Response[bytes]:
    """The whole book on paper (A4)."""
    return await export_own(call, BOOK)


@get(
    "/v1/me/documents/{document_id:str}/content",
    actors=("citizen",),
    operation_id="read_own_document_content",
    tags=TAGS,
    problems=(*BASE_PROBLEMS, *CONTENT_PROBLEMS),
    produces=ATTACHED,
)
async def own_content(
    document_id: FromPath[str], call: NamedDependency[Call], attachment: AttachmentNumber = 0
) -> Response[bytes]:
    """An attachment of a document or report, as a download."""
    return await stream_content(call, None, document_id, attachment)


handlers: list[Any] = [own_ips, own_bundle, own_book, own_content]
