"""Which role a member of staff works in, chosen just behind the door of a sign-in in a browser.

A sign-in names its role beforehand (identity/staff.py), and a one-time password serves once. Whoever has
several roles and named none chooses here, with the secret of the door; a stolen session knows none.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from identity import practitioners, queries, sessions
from identity.doors import door_secret, is_door_of
from identity.problems import SESSION_ENDED
from identity.staff import StaffSignedIn
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

DOOR_LIFE: Final = timedelta(minutes=5)
_DOOR: Final = b"role-door\0"


async def door_of(tx: Tx, keys: KeyRing, token: str, now: datetime) -> str:
    """The secret of the door that this session came through; empty where it is none of staff's."""
    actor = await sessions.authenticate(tx, token, now)
    return "" if actor is None or actor.kind != "practitioner" else _door(keys, actor)


async def choose(
    tx: Tx, keys: KeyRing, token: str, door: str, practitioner_role_id: UUID, now: datetime
) -> StaffSignedIn | Refused:
    """End the session and open one in that role of the same person. Refused: session-ended."""
    actor = await sessions.authenticate(tx, token, now)
    if actor is None or actor.kind != "practitioner" or actor.session_id is None:
        return Refused(problem=SESSION_ENDED)
    started = await queries.SESSION_STARTED.one(tx, actor.actor_id, actor.session_id)
    is_open = started is not None and now < started + DOOR_LIFE
    if not is_open or not is_door_of(keys, _DOOR, actor.session_id, door):
        return Refused(problem=SESSION_ENDED)
    roles = await practitioners.active_roles(tx, actor.actor_id, now)
    chosen = next((one for one in roles if one.practitioner_role_id == practitioner_role_id), None)
    if chosen is None:
        return Refused(problem=SESSION_ENDED)
    if await queries.END_SESSION.one(tx, actor.actor_id, actor.session_id, now, "other-role") is None:
        return Refused(problem=SESSION_ENDED)
    tokens = await sessions.open_staff_session(
        tx, actor.actor_id, "practitioner", chosen.practitioner_role_id, now
    )
    return StaffSignedIn(tokens=tokens, role=chosen, roles=roles)


def _door(keys: KeyRing, actor: Actor) -> str:
    assert actor.session_id is not None
    return door_secret(keys, _DOOR, actor.session_id)
