"""Application logs: one JSON object per line on standard output.

Fields are chosen by the callers: route templates, ids of requests, counts, classes of errors;
never a path, a query, a token, a number or a text of a record (security.md S22, S34).
"""

import logging
import sys
from contextlib import suppress

import msgspec
import structlog


class Lines(structlog.BytesLogger):
    """Where a line cannot be written (a full disk, a reader that left), the line is lost and nothing else."""

    def msg(self, message: bytes) -> None:
        """Write one line if that can be done."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg


_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure_logs() -> None:
    """Set structlog up for this process. Called once per process, before the first line."""
    # Here: whoever forks decides first where figures lie (metrics/sharing.py).
    from healthbook.metrics.counts import count_line  # noqa: PLC0415

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            count_line,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda entry, **_: _encode(entry)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: Lines(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
