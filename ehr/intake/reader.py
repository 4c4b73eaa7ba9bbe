"""The reader process of the import (`python -m ehr.intake.reader`): reads files and prepares their rows.

It has no database, no keys and no environment of ours, little memory, and little time for each unit: a
file that breaks or hangs a parser ends this process and not the import.
"""

import contextlib
import io
import os
import sys
from collections import deque
from typing import IO, NoReturn
from uuid import UUID

import msgspec
from msgspec import Raw

from ehr.intake.frames import (
    Answer,
    Done,
    Job,
    Made,
    Question,
    Refused,
    SenderFacts,
    Told,
    decode_order,
    encode,
    read_frame,
    write_frame,
)
from ehr.intake.models import BadInputError, BadUnit, Reason, SignatureFacts, reject
from ehr.intake.reading import ReadUnit, read_units
from ehr.intake.signature import is_required, verify
from ehr.intake.units import prepare

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

MEMORY_BYTES_MAX = 1536 * 1024 * 1024
# A unit takes a tenth of a second for each MiB; a machine may be slow, and a gzip is read unpacked.
SECONDS_LEAST = 2
SECONDS_PER_MEBIBYTE = 10


class _Reader:
    """Answers orders one by one, and asks back who has a code that it meets."""

    def __init__(self, orders: IO[bytes], told: IO[bytes]) -> None:
        self._orders, self._told = orders, told
        self._waiting: deque[Job] = deque()
        self._run: UUID | None = None
        self._answers: dict[str, Answer] = {}

    def serve(self) -> None:
        while True:
            order = self._waiting.popleft() if self._waiting else self._receive()
            if isinstance(order, Job):
                self._read(order)

    def _receive(self) -> Job | Answer:
        frame = read_frame(self._orders)
        if frame is None:
            raise SystemExit(0)
        return decode_order(frame)

    def _tell(self, frame: Told) -> None:
        write_frame(self._told, frame)

    def _read(self, job: Job) -> None:
        if job.run != self._run:
            self._run, self._answers = job.run, {}
        try:
            with open(job.path, "rb") if job.path is not None else io.BytesIO(job.data) as stream:
                self._read_stream(job, stream)
        except OSError:
            self._tell(Refused(job.name, [Reason("unreadable-file", job.name)]))
        self._tell(Done())

    def _read_stream(self, job: Job, stream: IO[bytes]) -> None:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        limit_time(size)
        verdicts: dict[str, SignatureFacts] = {}
        for number, read in enumerate(read_units(stream, job.name, job.now)):
            if job.most is not None and number >= job.most:
                self._tell(Refused(job.name, [Reason("too-large", job.name)]))
                break
            self._tell(self._made(job, read, verdicts))
            limit_time(size)

    def _made(self, job: Job, read: ReadUnit | BadUnit, verdicts: dict[str, SignatureFacts]) -> Told:
        if isinstance(read, BadUnit):
            return Refused(read.name, read.reasons)
        try:
            return _prepared(read, self._sender_of(job, read), job, verdicts)
        except BadInputError as error:
            return Refused(read.unit.name, error.reasons)

    def _sender_of(self, job: Job, read: ReadUnit) -> SenderFacts:
        code = read.unit.facility_code
        if job.is_fixed or code is None:
            return job.sender
        if code not in self._answers:
            self._answers[code] = self._ask(code)
        answer = self._answers[code]
        if answer.sender is None:
            raise BadInputError(answer.reasons)
        return answer.sender

    def _ask(self, code: str) -> Answer:
        self._tell(Question(code))
        while isinstance(order := self._receive(), Job):
            self._waiting.append(order)
        return order


def _prepared(read: ReadUnit, sender: SenderFacts, job: Job, verdicts: dict[str, SignatureFacts]) -> Told:
    """The unit with its rows. The verdict on a signature is worked out once for each sender of a file."""
    unit, signed = read.unit, read.signed
    if signed is not None and sender.certificates is None:
        unit.signature = signed.facts
    elif signed is not None and sender.certificates is not None:
        if sender.source_id not in verdicts:
            verdicts[sender.source_id] = verify(signed, sender.certificates, job.now)
        unit.signature = verdicts[sender.source_id]
    elif signed is None and is_required(sender.certificates or ()):
        raise reject("signature-required", "Bundle")
    if unit.signature is not None and unit.signature.status == "invalid":
        raise reject("signature-invalid", f"Signature/{unit.signature.reason}")
    made = prepare(unit, read.surveys, sender.source_id, sender.facility_name)
    return Made(
        unit=msgspec.structs.replace(unit, items=[]),
        not_kept=sorted(read.not_kept),
        resources=made.resources,
        counts=made.counts,
        withheld=made.withheld,
        review=made.review,
        kept=Raw(encode(made.items)),
    )


def _limit_memory() -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(size: int) -> None:
    """Processor time from now on, for a unit of a file of so many bytes."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = SECONDS_LEAST + size * SECONDS_PER_MEBIBYTE // (1024 * 1024)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def main() -> NoReturn:
    _limit_memory()
    orders, told = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints is thrown away: it can quote the file.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        _Reader(orders, told).serve()
    raise SystemExit(0)


if __name__ == "__main__":
    main()
