"""An act of consent that the device signs: members that every text has, and the check (security.md S11)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from consent.approval import Signed
from identity.devices import StepUp, verify_step_up
from identity.problems import STEP_UP_REFUSED
from kernel.access import Access, Actor
from kernel.problems import Refused
from store.database import Tx


def members(actor: Actor, patient_id: UUID, typ: str, signed: Signed, environment: str) -> dict[str, Any]:
    """What stands in the text of every act, whatever it is about."""
    return {
        "typ": typ,
        "environment": environment,
        "patient_id": str(patient_id),
        "device_id": str(actor.device_id),
        "nonce": signed.nonce,
        "iat": signed.iat,
        "exp": signed.exp,
    }


def act_text(access: Access, typ: str, facts: dict[str, Any], signed: Signed, environment: str) -> bytes:
    """What the device signs: JCS of the common members and of the facts of this act.

    patient_id is whose device it is; who acts for another person names that one as `book`.
    """
    whose = access.actor.actor_id
    book = {} if whose == access.patient_id else {"book": str(access.patient_id)}
    return rfc8785.dumps(members(access.actor, whose, typ, signed, environment) | book | facts)


async def verify_act(
    tx: Tx,
    access: Access,
    typ: str,
    facts: dict[str, Any],
    signed: Signed,
    *,
    environment: str,
    now: datetime,
) -> StepUp | Refused:
    """Rebuild the text here and check it against the device of the session."""
    actor = access.actor
    if actor.device_id is None:
        return Refused(problem=STEP_UP_REFUSED)
    text = act_text(access, typ, facts, signed, environment)
    return await verify_step_up(
        tx, actor.actor_id, actor.device_id, typ, text, signed.signature, now, environment=environment
    )
