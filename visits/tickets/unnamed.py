"""A number for whoever carries nothing that can be scanned or typed: no person, no check-in, no arrival."""

from datetime import datetime
from uuid import UUID

from identity import budgets
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing
from visits.counters.models import Counter
from visits.tickets.models import QueueTicket
from visits.tickets.service import take
from visits.tickets.subjects import unnamed_subjects


async def give(
    tx: Tx, keys: KeyRing, actor: Actor, counter: Counter, client_id: UUID, now: datetime
) -> QueueTicket | Refused:
    """The next number at this open counter; a repeat of client_id within 30 minutes has the same one. It is
    charged like a number that is typed. Refused: too-many."""
    for budget, who in (
        (budgets.ARRIVALS_DAY, actor.actor_id),
        (budgets.ARRIVALS_DAY_FACILITY, counter.facility_id),
    ):
        refused = await budgets.charge_or_refuse(tx, budget, budgets.subject(who.bytes), now)
        if refused is not None:
            return refused
    subjects = unnamed_subjects(keys, counter.facility_id, actor.actor_id, client_id, now)
    return await take(tx, counter, subjects, now)
