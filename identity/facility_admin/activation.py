"""The first administrator of a facility: one printed code, one account, nothing else (security.md S16).

issue    two operators entered the facility; its code is printed once     → code of 128 random bits
look_at  finds the facility; a wrong code is charged to the network       (transaction)
         the credential is hashed                                        (no transaction)
redeem   uses the code up, makes the account and its role                (transaction)

The account administers one facility. It can make no doctor and reset nobody: what gives a right takes a
second person there too, an administrator of the facility or an operator.
"""

import hashlib
import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from audit.service import record_admin_event
from identity import budgets, practitioners
from identity.facility_admin import queries
from identity.facility_admin.models import FacilityCode, Opened
from identity.passwords import POOL
from identity.practitioners import InitialSecrets, NewPractitioner, PreparedCredential
from identity.problems import FACILITY_CODE_REFUSED
from kernel.problems import Refused, refuse
from store.database import Tx
from store.keys import KeyRing
from store.outbox import emit

CODE_BYTES: Final = 16
CODE_LIFE: Final = timedelta(days=30)  # ours: letters to communes take their time
_NAMES: Final = 50


async def issue(tx: Tx, facility_id: UUID, now: datetime) -> FacilityCode:
    """A code for the facility's first administrator; one that was not used yet opens nothing any more."""
    text = b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=")
    await queries.KEEP_CODE.run(tx, facility_id, _hash(text), now, now + CODE_LIFE)
    return FacilityCode(facility_id=facility_id, code=grouped(text), expires_at=now + CODE_LIFE)


async def look_at(tx: Tx, code: str, network: str, now: datetime) -> Opened | Refused:
    """Whether a code counts. network: address block of the caller, charged for wrong codes alone: nobody
    meets 128 random bits by trying, and whoever shares a network does not lock out who holds the slip.

    Refused: too-many; facility-code-refused, the same for codes that nobody has, used and expired ones."""
    POOL.require_room()
    found = await queries.OPENED.one(tx, _hash(code), now)
    if found is not None:
        return Opened(facility_id=found.facility_id, facility_code=found.code or "")
    counted = budgets.subject(f"facility\0{network}")
    refused = await budgets.charge_or_refuse(tx, budgets.ACTIVATION_TRIES_NETWORK, counted, now)
    return refused or Refused(problem=FACILITY_CODE_REFUSED, where="code")


async def redeem(
    tx: Tx, keys: KeyRing, code: str, name: str, prepared: PreparedCredential, now: datetime
) -> InitialSecrets:
    """Make the account. Raises `facility-code-refused`, and nothing is kept, where another use was first."""
    opened = await queries.OPENED.one(tx, _hash(code), now)
    if opened is None:
        refuse(FACILITY_CODE_REFUSED, "code")
    new = NewPractitioner(user_name=await _free_name(tx, opened.code or "cs"), name=name)
    made = await practitioners.add_practitioner(tx, keys, new, prepared, now)
    role_id = await practitioners.add_role(tx, made.actor_id, opened.facility_id, "facility-admin", now)
    assert isinstance(role_id, UUID), "person and facility are there"
    if await queries.USE_CODE.one(tx, _hash(code), now, made.actor_id) is None:
        refuse(FACILITY_CODE_REFUSED, "code")
    reason = "mã kích hoạt cơ sở"
    await record_admin_event(tx, str(opened.facility_id), "register:facility:activate", reason, 1, now)
    ref = {"facility_id": str(opened.facility_id)}
    await emit(tx, opened.facility_id, "identity.facility-activated", ref, now)
    return made


async def use_again(tx: Tx, facility_id: UUID, at: datetime) -> None:
    """A use that a restored backup undid; the account went with the lost time, operators print another."""
    await queries.USE_AGAIN.run(tx, facility_id, at)


def grouped(code: str) -> str:
    """As it is printed: groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


async def _free_name(tx: Tx, facility_code: str) -> str:
    """A user name of the facility's code: nobody chooses one, so that nobody learns which are taken."""
    base = f"qt.{facility_code.lower()}"
    wanted = [base, *(f"{base}.{number}" for number in range(2, _NAMES))]
    taken = set(await queries.USER_NAMES.all(tx, wanted))
    free = next((one for one in wanted if one not in taken), None)
    return free if free is not None else f"{base}.{secrets.token_hex(4)}"


def _hash(code: str) -> bytes:
    """128 random bits need no slow hash. Spaces, dashes and small letters are the reader's."""
    normal = "".join(code.split()).upper().replace("-", "")
    return hashlib.sha256(b"facility\0" + normal.encode()).digest()
