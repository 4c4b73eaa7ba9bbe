"""SQL of trust lists."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from msgspec import Struct

from store.database import Tx
from store.statement import Command, Scalar, Statement
from vaccination.trust.models import KeyState, Purpose, TrustedKey, TrustList, Use

LISTS = Statement(
    TrustList,
    """
    SELECT name, form, issuer, signer, max_age_days, version, sha256, issued_at, loaded_at, fresh_until
    FROM trust_list ORDER BY name LIMIT 100
    """,
)
LOCKED_LIST = Statement(
    TrustList,
    """
    SELECT name, form, issuer, signer, max_age_days, version, sha256, issued_at, loaded_at, fresh_until
    FROM trust_list WHERE name = $1 FOR UPDATE
    """,
)
PIN = Command(
    """
    INSERT INTO trust_list (name, form, issuer, signer, max_age_days, version) VALUES ($1, $2, $3, $4, $5, 0)
    ON CONFLICT (name) DO UPDATE SET form = EXCLUDED.form, issuer = EXCLUDED.issuer, signer = EXCLUDED.signer,
        max_age_days = EXCLUDED.max_age_days
    """
)
# Pinned to another: what was loaded under the old signer has to be signed by the new one before it counts
# again, and the old one's version number holds up nothing.
UNLOAD = Command(
    """
    UPDATE trust_list SET version = 0, sha256 = NULL, issued_at = NULL, loaded_at = NULL, fresh_until = NULL
    WHERE name = $1
    """
)
LOADED = Command(
    """
    UPDATE trust_list SET version = $2, sha256 = $3, issued_at = $4, loaded_at = $5, fresh_until = $6
    WHERE name = $1
    """
)


class KeyRow(Struct, frozen=True):
    kid: str
    list_name: str
    digest: bytes
    purpose: Purpose
    spki: bytes
    country: str | None
    issuer: str | None
    uses: list[Use] | None
    not_before: datetime | None
    not_after: datetime | None
    state: KeyState
    fresh_until: datetime | None


_KEY = """k.kid, k.list_name, k.digest, k.purpose, k.spki, k.country, k.issuer, k.uses, k.not_before,
        k.not_after, k.state, l.fresh_until
    FROM trust_key k LEFT JOIN trust_list l ON l.name = k.list_name"""
OF_KID = Statement(KeyRow, f"SELECT {_KEY} WHERE k.kid = $1 ORDER BY k.list_name, k.digest LIMIT 20")
OF_LIST = Statement(KeyRow, f"SELECT {_KEY} WHERE k.list_name = $1 ORDER BY k.kid, k.digest")
UPSERT = Command(
    """
    INSERT INTO trust_key (kid, list_name, digest, purpose, spki, country, issuer, uses, not_before,
        not_after, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active')
    ON CONFLICT (kid, list_name, digest) DO UPDATE SET purpose = EXCLUDED.purpose,
        country = EXCLUDED.country, issuer = EXCLUDED.issuer, uses = EXCLUDED.uses,
        not_before = EXCLUDED.not_before, not_after = EXCLUDED.not_after,
        state = CASE trust_key.state WHEN 'revoked' THEN 'revoked' ELSE 'active' END
    """
)
TERMINATE = Command(
    "UPDATE trust_key SET state = 'terminated'"
    " WHERE kid = $1 AND list_name = $2 AND digest = $3 AND state = 'active'"
)
TERMINATE_ALL = Command("UPDATE trust_key SET state = 'terminated' WHERE list_name = $1 AND state = 'active'")
REVOKE = Scalar(str, "UPDATE trust_key SET state = 'revoked' WHERE kid = $1 AND list_name = $2 RETURNING kid")


def digest_of(spki: bytes) -> bytes:
    return sha256(spki).digest()


async def upsert(tx: Tx, name: str, keys: Iterable[TrustedKey]) -> None:
    await UPSERT.many(
        tx,
        (
            (
                *(key.kid, name, digest_of(key.spki), key.purpose, key.spki, key.country, key.issuer),
                *(None if key.uses is None else sorted(key.uses), key.not_before, key.not_after),
            )
            for key in keys
        ),
    )


def key_of(row: KeyRow) -> TrustedKey:
    return TrustedKey(
        kid=row.kid,
        purpose=row.purpose,
        spki=row.spki,
        country=row.country,
        issuer=row.issuer,
        uses=None if row.uses is None else frozenset(row.uses),
        not_before=row.not_before,
        not_after=row.not_after,
        state=row.state,
        source=row.list_name,
        fresh_until=row.fresh_until,
    )


async def unload(tx: Tx, name: str) -> None:
    await UNLOAD.run(tx, name)
    await TERMINATE_ALL.run(tx, name)
