"""The person's own prescriptions, and the code to show at a pharmacy."""

from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.prescribed import MEDIA_TYPES, OWN_ONE, code_of, one_of, page_of
from api.reading import OWN_PROBLEMS, Cursor, Limit, read_beside_record, read_record
from api.request import Call
from ehr.prescriptions.models import Prescription, PrescriptionPage
from ehr.prescriptions.problems import PRESCRIPTION_COLLECTED

TAGS = ["prescriptions"]
ACTION: Final = "read-prescriptions"
Form: TypeAlias = Annotated[Literal["svg", "png"], QueryParameter(description="The picture's format.")]


@get(
    "/v1/me/prescriptions",
    actors=("citizen",),
    operation_id="read_own_prescriptions",
    tags=TAGS,
    problems=OWN_PROBLEMS,
    conditional=True,
)
async def prescriptions(
    call: NamedDependency[Call], cursor: Cursor = None, limit: Limit = None
) -> Response[PrescriptionPage]:
    """Prescriptions, newest first: how far each line was dispensed, where and when."""
    return await read_record(call, None, ACTION, page_of(call, cursor, limit))


@get(
    "/v1/me/prescriptions/{prescription_id:uuid}",
    actors=("citizen",),
    operation_id="read_own_prescription",
    tags=TAGS,
    problems=OWN_ONE,
    conditional=True,
)
async def prescription(
    prescription_id: FromPath[UUID], call: NamedDependency[Call]
) -> Response[Prescription]:
    """One prescription."""
    return await read_record(call, None, ACTION, one_of(call, prescription_id))


@get(
    "/v1/me/prescriptions/{prescription_id:uuid}/code",
    actors=("citizen",),
    operation_id="draw_prescription_code",
    tags=TAGS,
    problems=(*OWN_ONE, PRESCRIPTION_COLLECTED),
    produces=tuple(MEDIA_TYPES.values()),
)
async def prescription_code(
    prescription_id: FromPath[UUID], call: NamedDependency[Call], form: Form = "svg"
) -> Response[bytes]:
    """The code to show at a pharmacy, drawn; while something is left to collect."""
    return await read_beside_record(
        call,
        ACTION,
        code_of(call, prescription_id, form),
        is_logged=True,
        part="prescription-code",
        media_type=MEDIA_TYPES[form],
    )


handlers: list[Any] = [prescriptions, prescription, prescription_code]
