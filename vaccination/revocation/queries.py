"""SQL of revocations."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from store.database import Tx
from store.statement import Command, Scalar, Statement
from vaccination.revocation.models import Entry, Hashes, Kind, ListHead

INSERT = Statement(
    Entry,
    """
    INSERT INTO certificate_revocation (kid, kind, hash, revoked_at, expires_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (kid, kind, hash) DO NOTHING
    RETURNING kind, hash, expires_at
    """,
)
COUNT_CHANGE = Command(
    """
    INSERT INTO certificate_revocation_list AS l (kid, changes, changed_at) VALUES ($1, 1, $2)
    ON CONFLICT (kid) DO UPDATE SET changes = l.changes + 1, changed_at = EXCLUDED.changed_at
    """
)
ANY_OF = Scalar(
    int,
    """
    SELECT 1 AS named FROM certificate_revocation r JOIN unnest($2::text[], $3::bytea[]) AS w (kind, hash)
        ON r.kind = w.kind AND r.hash = w.hash
    WHERE r.kid = $1 LIMIT 1
    """,
)
# Anybody asks for these as often as he likes: nothing is counted for them.
_HEAD = "SELECT kid, changes, changed_at FROM certificate_revocation_list"
HEADS = Statement(ListHead, f"{_HEAD} ORDER BY kid LIMIT $1")
HEAD = Statement(ListHead, f"{_HEAD} WHERE kid = $1")
ENTRIES = Statement(
    Entry,
    """
    SELECT kind, hash, expires_at FROM certificate_revocation
    WHERE kid = $1 AND kind = ANY ($2::text[]) AND (kind, hash) > ($3, $4) ORDER BY kind, hash LIMIT $5
    """,
)


class Gone(Struct, frozen=True):
    kid: str


FORGET = Statement(
    Gone,
    """
    DELETE FROM certificate_revocation WHERE (kid, kind, hash) IN (
        SELECT kid, kind, hash FROM certificate_revocation WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
    ) RETURNING kid
    """,
)


async def insert(tx: Tx, kid: str, hashes: Hashes, now: datetime, expires_at: datetime | None) -> list[Entry]:
    """The entries that were not there yet."""
    made = [await INSERT.one(tx, kid, kind, hashes[kind], now, expires_at) for kind in sorted(hashes)]
    return [entry for entry in made if entry is not None]


async def any_of(tx: Tx, kid: str, named: Sequence[tuple[Kind, bytes]]) -> bool:
    kinds, values = [kind for kind, _ in named], [value for _, value in named]
    return await ANY_OF.one(tx, kid, kinds, values) is not None
