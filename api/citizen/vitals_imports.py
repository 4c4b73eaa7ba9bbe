"""Files of measurements that a person has: sent whole, read by a worker, looked after and taken back.

No Idempotency-Key: the same file of the same person is the same import.
"""

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.acting import begin_for
from api.citizen.vitals_batches import TAGS
from api.problems import BODY_TOO_LARGE, INVALID_FIELD, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.request import Answer, Call, answer
from api.uploads import check_media_type, kept_stream
from identity.problems import DEVICE_ON_PROBATION, TOO_MANY
from kernel.problems import Refused
from store.blobs import BLOB_BYTES_MAX
from vitals.files import service
from vitals.files.models import ImportList, ImportShown
from vitals.files.problems import VITAL_IMPORT_RUNNING, VITAL_IMPORT_UNKNOWN

# What phones and browsers call such files. What it is, its first bytes say.
TAKEN: Final = (
    "application/octet-stream",
    "application/zip",
    "application/xml",
    "text/xml",
    "application/json",
    "application/fhir+json",
    "text/csv",
    "text/tab-separated-values",
    "text/plain",
)
Zone = Annotated[
    int | None, QueryParameter(ge=-720, le=840, description="Minutes from UTC of times without a zone.")
]


@post(
    "/v1/me/vitals/imports",
    actors=("citizen",),
    operation_id="me_import_vitals",
    tags=TAGS,
    status_code=201,
    request_max_body_size=BLOB_BYTES_MAX,
    media_types=TAKEN,
    problems=(
        INVALID_FIELD,
        DEVICE_ON_PROBATION,
        VITAL_IMPORT_RUNNING,
        TOO_MANY,
        UNAVAILABLE,
        BODY_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
    ),
)
async def import_file(call: NamedDependency[Call], zone: Zone = None) -> Response[ImportShown]:
    """Take in a file of measurements that the person has.

    An export of Apple Health (the archive as the phone makes it, or its export.xml), Open mHealth, FHIR,
    Nightscout, CSV with a header. The body is the file itself, at most 512 MiB. The answer says how to
    follow it; the same file again is the same import. At most 10 a day, one at a time.
    """
    async with begin_for(call, "write-vitals") as (tx, access):
        check_media_type(call, TAKEN)
        blob_id = await service.may_add(tx, access, call.now)
    if isinstance(blob_id, Refused):
        return answer(blob_id)
    return await _keep(call, access.patient_id, blob_id, zone)


async def _keep(call: Call, patient_id: UUID, blob_id: UUID, zone: int | None) -> Answer:
    """The file first, as it comes, then its row in a transaction that decides again."""
    async with kept_stream(call, patient_id, blob_id, call.request.stream()) as file:
        call.time_went_by()
        async with begin_for(call, "write-vitals") as (tx, access):
            row = await service.add(tx, access, file.blob, zone, request_id=call.request_id, now=call.now)
        file.is_named = not isinstance(row, Refused) and row.blob_id == blob_id
    return answer(row if isinstance(row, Refused) else service.shown(row), status=201)


@get(
    "/v1/me/vitals/imports",
    actors=("citizen",),
    operation_id="me_vital_imports",
    tags=TAGS,
    problems=(DEVICE_ON_PROBATION,),
)
async def list_imports(call: NamedDependency[Call]) -> Response[ImportList]:
    """Which files were taken in, and how far those are that still are; the newest first."""
    async with begin_for(call, "write-vitals") as (tx, access):
        return answer(await service.listed(tx, access.patient_id))


@get(
    "/v1/me/vitals/imports/{import_id:uuid}",
    actors=("citizen",),
    operation_id="me_vital_import",
    tags=TAGS,
    problems=(DEVICE_ON_PROBATION, VITAL_IMPORT_UNKNOWN),
)
async def show_import(import_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[ImportShown]:
    """How far a file is, what of it was stored, and why the rest was not."""
    async with begin_for(call, "write-vitals") as (tx, access):
        return answer(await service.one(tx, access.patient_id, import_id))


@delete(
    "/v1/me/vitals/imports/{import_id:uuid}",
    actors=("citizen",),
    operation_id="me_withdraw_vital_import",
    tags=TAGS,
    status_code=204,
    problems=(DEVICE_ON_PROBATION, VITAL_IMPORT_UNKNOWN),
)
async def withdraw_import(import_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[None]:
    """Stop reading a file, erase it, and take back the measurements that it brought.

    It is listed as `withdrawn` until the last of them is gone. The same measurements may come again.
    """
    async with begin_for(call, "write-vitals") as (tx, access):
        row = await service.withdraw(tx, access, import_id, request_id=call.request_id, now=call.now)
    if isinstance(row, Refused):
        return answer(row)
    if row.blob_id is not None:
        await call.store.blobs.delete(row.patient_id, row.blob_id)
    return answer(None, status=204)


handlers: list[Any] = [import_file, list_imports, show_import, withdraw_import]
