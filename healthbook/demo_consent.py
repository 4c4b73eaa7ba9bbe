"""What already happened in the demo: a doctor was let in by the digits on his screen, and looked.

Thereby the log and the list of grants have something to show; the grant has ended since.
"""

import secrets
from datetime import datetime

import msgspec
import rfc8785

from audit.service import record_read
from consent.approval import Approval, Signed, approval_text, approve
from consent.decision import decide
from consent.models import Grant
from consent.policy import DEFAULT_TYPES
from consent.requests.asking import Ask, request_access
from consent.requests.service import request_for_citizen
from ehr.reads import summary
from healthbook.demo_accounts import Activated, granted
from identity.tokens import to_base64url
from kernel.access import Actor, Label
from kernel.ids import uuid7
from store.database import Store
from visits.identification import draw_code

HOUR = 3600


async def let_in_once(store: Store, citizen: Activated, doctor: Actor, now: datetime) -> Grant:
    """Presence by a scan, tier B by digits, one summary read; valid for an hour from `now`."""
    trace_id = str(uuid7(now))
    patient_id = citizen.actor.actor_id
    async with store.transaction() as tx:
        code = draw_code(store.keys, patient_id, now)
        ask = Ask(kind="citizen-qr", value=code.qr, duration_seconds=HOUR)
        asked = granted(await request_access(tx, store.keys, doctor, ask, trace_id=trace_id, now=now))
    async with store.transaction() as tx:
        request = granted(await request_for_citizen(tx, patient_id, asked.request_id, now))
        choice = Approval(
            tier="B",
            secret=asked.display.digits,
            types=DEFAULT_TYPES & frozenset(request.types),
            since=None,
            until=None,
            duration_seconds=HOUR,
            labels=Label.NONE,
            signed=_unsigned(now),
            label_signatures={},
        )
        text = rfc8785.dumps(approval_text(citizen.actor, request, choice, "demo"))
        signed = msgspec.structs.replace(choice.signed, signature=citizen.phone.sign_act(text))
        access = granted(await decide(tx, citizen.actor, patient_id, "manage-grants", "PATRQT", now))
        answer = await approve(
            tx,
            store.keys,
            access,
            asked.request_id,
            msgspec.structs.replace(choice, signed=signed),
            environment="demo",
            trace_id=trace_id,
            now=now,
        )
        grant = granted(answer)
    await _look(store, doctor, citizen, now)
    return grant


async def _look(store: Store, doctor: Actor, citizen: Activated, now: datetime) -> None:
    patient_id = citizen.actor.actor_id
    async with store.transaction() as tx:
        access = granted(await decide(tx, doctor, patient_id, "read-summary", "TREAT", now))
        built = await summary.read(tx, store.keys, access, now)
        await record_read(
            tx,
            access,
            resources=built.shown,
            body=built.body,
            outcome="ok",
            request_id=str(uuid7(now)),
            now=now,
        )


def _unsigned(now: datetime) -> Signed:
    instant = int(now.timestamp())
    return Signed(nonce=to_base64url(secrets.token_bytes(16)), iat=instant, exp=instant + 120, signature="")
