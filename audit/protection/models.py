"""What is kept about a protected practitioner, and a row of the log as its person may see it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from audit.models import Entry, LogRow


class Protection(Struct, frozen=True):
    """In force until protected_until; renewed each year."""

    practitioner_id: UUID
    protected_at: datetime
    protected_until: datetime


class Shown(Struct, frozen=True):
    """A row with its decoded entry. Where `alias` is set, name, licence and the salt that binds the row to
    them are gone from `row`: with the salt, a list of licences would tell the name."""

    row: LogRow
    entry: Entry
    alias: str | None
