"""What a registry officer is shown of a person: enough to compare with papers, one log row each (S19)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from audit.service import record_act, record_admin_event
from identity import budgets, people, phones
from identity.births import service as births
from identity.identifiers import normal_identifier, normal_phone, shown_end
from identity.merges import queries as merges
from identity.merges.aliases import survivor_of
from identity.merges.models import MergeState
from identity.merges.problems import NO_SUCH_MERGE
from identity.models import IdentifierState, NumberStatus, PersonState, Sex
from identity.problems import IDENTIFIER_INVALID
from identity.registry.models import (
    ActKind,
    DeathBody,
    EndedNumberBody,
    Evidence,
    MergeBody,
    NumberBody,
    UnmergeBody,
)
from identity.registry.service import Act
from kernel.access import Actor
from kernel.problems import Refused
from store.database import Tx
from store.keys import KeyRing

LookUpKind = Literal[
    "national-id", "insurance-card", "insurance-number", "old-id", "passport", "phone", "mother"
]


class FoundNumber(Struct, kw_only=True):
    """shown: the last three digits."""

    kind: str
    shown: str
    state: IdentifierState
    status: NumberStatus


class FoundPerson(Struct, kw_only=True):
    """merged_into: the record that this one became part of."""

    patient_id: UUID
    name: str | None
    birth_date: str | None
    sex: Sex
    state: PersonState
    numbers: list[FoundNumber]
    merged_into: UUID | None


class ShownAct(Struct, kw_only=True):
    """number: the one of the act, whole: the second officer compares it with the card."""

    act_id: UUID
    kind: ActKind
    evidence: Evidence
    reason: str
    people: list[FoundPerson]
    number_kind: str | None = None
    number: str | None = None
    replaces: str | None = None
    merge_id: UUID | None = None


class MergeView(Struct, kw_only=True):
    """rows_moved counts both ways."""

    merge_id: UUID
    state: MergeState
    rows_moved: int
    decided_at: datetime
    moved_at: datetime | None
    undone_at: datetime | None


async def find(
    tx: Tx,
    keys: KeyRing,
    actor: Actor,
    kind: LookUpKind,
    value: str,
    reason: str,
    *,
    request_id: str,
    now: datetime,
) -> list[FoundPerson] | Refused:
    """People by a number, a login phone, or a mother's number. Charged per account; unknown numbers too."""
    spent = await budgets.charge_or_refuse(
        tx, budgets.REGISTRY_LOOK_UPS_DAY, budgets.subject(actor.actor_id.bytes), now
    )
    if spent is not None:
        return spent
    found = await _ids(tx, keys, kind, value, now)
    if found is None:
        return Refused(problem=IDENTIFIER_INVALID, where="value")
    await record_admin_event(tx, str(actor.actor_id), "people:look-up", reason, len(found), now)
    return [await _show(tx, keys, actor, one, request_id, now) for one in sorted(found)]


async def show_act(
    tx: Tx, keys: KeyRing, actor: Actor, act: Act, *, request_id: str, now: datetime
) -> ShownAct:
    """The proposal with the persons that it names."""
    body = act.body
    shown = ShownAct(act_id=act.act_id, kind=act.kind, evidence=act.evidence, reason=act.reason, people=[])
    named: set[UUID] = set()
    if isinstance(body, MergeBody):
        named = {body.merged_id, body.survivor_id}
    elif isinstance(body, UnmergeBody):
        merge = await merges.MERGE_BY_ID.one(tx, body.merge_id)
        named = {merge.merged_id, merge.survivor_id} if merge else set()
        shown.merge_id = body.merge_id
    elif isinstance(body, NumberBody | EndedNumberBody | DeathBody):
        named = {body.patient_id}
    if isinstance(body, NumberBody | EndedNumberBody):
        shown.number_kind, shown.number = body.kind, body.value
        shown.replaces = body.replaces if isinstance(body, NumberBody) else None
    shown.people = [await _show(tx, keys, actor, one, request_id, now) for one in sorted(named)]
    return shown


async def merge_view(tx: Tx, merge_id: UUID) -> MergeView | Refused:
    """How far a merge is."""
    row = await merges.MERGE_BY_ID.one(tx, merge_id)
    if row is None:
        return Refused(problem=NO_SUCH_MERGE)
    return MergeView(
        merge_id=row.merge_id,
        state=row.state,
        rows_moved=row.rows_moved,
        decided_at=row.decided_at,
        moved_at=row.moved_at,
        undone_at=row.undone_at,
    )


async def _ids(tx: Tx, keys: KeyRing, kind: LookUpKind, value: str, now: datetime) -> set[UUID] | None:
    if kind == "phone":
        number = normal_phone(value)
        return None if number is None else set(await phones.people_signing_in_with(tx, keys, number, now))
    number_kind = "national-id" if kind == "mother" else kind
    if normal_identifier(number_kind, value) is None:
        return None
    owner = await people.number_owner(tx, keys, number_kind, value)
    if owner is None:
        return set()
    if kind == "mother":
        return set(await births.newborns_of(tx, owner.patient_id))
    return {owner.patient_id, await survivor_of(tx, owner.patient_id)}


async def _show(
    tx: Tx, keys: KeyRing, actor: Actor, patient_id: UUID, request_id: str, now: datetime
) -> FoundPerson:
    card = await people.person_card(tx, keys, patient_id)
    assert card is not None, "numbers lead to people"
    survivor = await survivor_of(tx, patient_id)
    await record_act(tx, patient_id, actor, "registry:person:read", request_id=request_id, now=now)
    return FoundPerson(
        patient_id=patient_id,
        name=card.name,
        birth_date=card.birth_date,
        sex=card.sex,
        state=card.state,
        numbers=[
            FoundNumber(kind=one.kind, shown=shown_end(one.value), state=one.state, status=one.status)
            for one in await people.own_identifiers(tx, keys, patient_id)
        ],
        merged_into=None if survivor == patient_id else survivor,
    )
