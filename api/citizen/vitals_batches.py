"""What phones measure comes in: `POST /v1/me/vitals/batches`.

No Idempotency-Key: device and seq are one already. The same bytes again are answered as they were, other
bytes under the same seq are refused. X-Sent-At stands beside the body, since a repeat says there anew what
the phone's clock is now.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from api.acting import begin_for
from api.problems import INVALID_FIELD, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE
from api.request import Call, answer
from identity.people import person_of
from identity.problems import DEVICE_ON_PROBATION
from kernel.access import Access
from kernel.problems import Refused, refuse
from store.database import Tx
from vitals.accepting import accept, earliest_birth
from vitals.decoding import Decoded, Form, decode, inflate
from vitals.devices import service as devices
from vitals.files.running import DEVICE
from vitals.intake.service import answered_before, clock_now, record_batch
from vitals.problems import (
    BATCH_MALFORMED,
    BATCH_SEQ_REUSED,
    BATCH_TOO_LARGE,
    BATCHES_BUSY,
    VITAL_DEVICE_REVOKED,
    VITAL_DEVICES_FULL,
    VITAL_SOURCES_FULL,
)
from vitals.wire import BYTES_MAX, Ack, Batch, Time

TAGS = ["vitals"]
FORMS: Final[dict[str, Form]] = {"application/json": "json", "application/msgpack": "msgpack"}


@post(
    "/v1/me/vitals/batches",
    actors=("citizen",),
    operation_id="me_send_vitals",
    tags=TAGS,
    status_code=200,
    sent_at=True,
    request_max_body_size=BYTES_MAX,
    body=Batch,
    body_types=tuple(FORMS),
    problems=(
        BATCH_MALFORMED,
        BATCH_SEQ_REUSED,
        BATCH_TOO_LARGE,
        BATCHES_BUSY,
        DEVICE_ON_PROBATION,
        INVALID_FIELD,
        UNAVAILABLE,
        UNSUPPORTED_MEDIA_TYPE,
        VITAL_DEVICE_REVOKED,
        VITAL_DEVICES_FULL,
        VITAL_SOURCES_FULL,
    ),
)
async def send_batch(call: NamedDependency[Call]) -> Response[Ack]:
    """Send measurements; the answer comes once they are stored, with a code for every item that was refused.

    JSON or MessagePack of the same shape, also with `Content-Encoding: gzip`; at most 4 MiB unpacked. Send a
    batch again only after 429, 5xx or no answer: the same bytes with the same `seq` do nothing twice.

    X-Sent-At is the phone's clock at this very request, also of a repeat: without it what waited in a phone
    looks like a clock that is behind, so a batch whose `sent_at` is over 5 minutes old may not alarm.
    """
    form, is_gzip = _form(call)
    said_at = _said_at(call)
    body, session = await call.body(), call.header("authorization") or ""
    async with call.batch_gate.turn(session), begin_for(call, "write-vitals") as (tx, access):
        batch = _read(body, form, is_gzip=is_gzip)
        if isinstance(batch, Refused):
            return answer(batch)
        return answer(await _store(tx, call, access, batch, said_at))


def _form(call: Call) -> tuple[Form, bool]:
    """How the body is written, before any of it is read. Raises `unsupported-media-type`."""
    form = FORMS.get((call.header("content-type") or "").partition(";")[0].strip().lower())
    packing = (call.header("content-encoding") or "identity").strip().lower()
    if form is None or packing not in ("gzip", "identity"):
        refuse(UNSUPPORTED_MEDIA_TYPE)
    return form, packing == "gzip"


def _read(body: bytes, form: Form, *, is_gzip: bool) -> Decoded | Refused:
    """After it is known who sends it: unpacking and decoding are dear (security.md S33)."""
    content = inflate(body) if is_gzip else body
    return content if isinstance(content, Refused) else decode(content, form)


def _said_at(call: Call) -> datetime | None:
    """The phone's clock as it says. Raises `invalid-field`."""
    said = call.header("x-sent-at")
    if said is None:
        return None
    try:
        return msgspec.convert(said, Time)
    except msgspec.ValidationError:
        refuse(INVALID_FIELD, "X-Sent-At")


async def _store(
    tx: Tx, call: Call, access: Access, batch: Decoded, said_at: datetime | None
) -> Ack | Refused:
    if batch.device.startswith(DEVICE):
        # Of files alone: what comes under such a name goes when a file is withdrawn.
        return Refused(problem=BATCH_MALFORMED, where="device")
    refused = call.batch_gate.charge(access.actor.actor_id, batch.device, call.now)
    refused = refused or await devices.admit(tx, access, batch.device, call.now)
    if refused is not None:
        return refused
    again = await answered_before(tx, access.patient_id, batch.device, batch.seq, batch.sha256)
    if again is not None:
        return again
    person = await person_of(tx, call.keys, access)
    birth = person.birth_date if person else None
    days = call.vital_series_days
    clock = await clock_now(tx, access.patient_id, batch, said_at, call.now)
    accepted = accept(batch, earliest_birth(birth), call.now, call.now, series_days=days, clock=clock)
    return await record_batch(tx, access, birth, accepted, request_id=call.request_id, now=call.now)


handlers: list[Any] = [send_batch]
