"""What is on its way out says so in every answer: one declaration on its handler, `deprecation=…`.

Deprecation (RFC 9745), Sunset (RFC 8594) and a link to what comes after it (RFC 5829 section 3.4).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

# Ours; no rule names a time. Apps on phones are updated late, and some once a year.
NOTICE: Final = timedelta(days=365)


class Deprecation(Struct, frozen=True, kw_only=True):
    """since: from when on nobody should begin to use it. sunset: from when on it may answer no more; None:
    not said yet. successor: the path of what to call instead, its ids by the names of this route's own."""

    since: datetime
    sunset: datetime | None = None
    successor: str | None = None

    def __post_init__(self) -> None:
        if self.since.utcoffset() is None:
            raise ValueError("a deprecation names its instants with their zone")
        if self.sunset is not None and self.sunset < self.since + NOTICE:
            raise ValueError("a deprecation gives its notice before it ends")

    def headers(self, path_params: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
        """The headers of an answer to a path with these ids."""
        found = [(b"deprecation", f"@{int(self.since.timestamp())}".encode())]
        if self.sunset is not None:
            found.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
        if self.successor is not None:
            ids = {name: quote(str(value), safe="") for name, value in path_params.items()}
            address = self.successor.format_map(ids)
            found.append((b"link", f'<{address}>; rel="successor-version"'.encode()))
        return found


def deprecation_of(handler: Any) -> Deprecation | None:
    """What a handler declares; None of one that stays, and where no route was found."""
    declared: Deprecation | None = handler.opt.get("deprecation") if handler is not None else None
    return declared
