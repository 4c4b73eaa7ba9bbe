"""The person's wishes: organ donation, limits of treatment, whom to trust. The own words, no legal document.

Shown to doctors with access, and on the printed book, only where the person ticks that.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.request import Call, answer
from consent.wishes import service
from consent.wishes.models import NOT_LEGAL_EN, NOT_LEGAL_VI, WISH_KINDS, Choice, Wish, WishKind, Words
from consent.wishes.problems import UNKNOWN_WISH, WISH_EMPTY
from consent.wishes.service import NewWish
from family.problems import ADULTS_ONLY
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.problems import Refused

TAGS = ["wishes"]
Text = Annotated[str, Meta(max_length=1000)]


class WishView(Struct, kw_only=True):
    """One wish that stands."""

    wish_id: UUID
    kind: WishKind
    title_vi: str
    version: int
    choice: Choice | None
    text: str
    shown_to_doctors: bool
    shown_on_paper: bool
    said_at: datetime


class Wishes(Struct, kw_only=True):
    """At most one of each kind. The notice says what a wish is not."""

    items: list[WishView]
    notice_vi: str
    notice_en: str


class WishStatement(Struct, kw_only=True, forbid_unknown_fields=True):
    """choice: for organ-donation; text: what the others say. The device signs JCS of typ wish, environment,
    patient_id, device_id, nonce, iat, exp, kind, choice ("" for none), text, shown_to_doctors and
    shown_on_paper ("yes" or "no")."""

    choice: Choice | None = None
    text: Text = ""
    shown_to_doctors: bool
    shown_on_paper: bool
    signed: SignedAct


@get(
    "/v1/me/wishes",
    actors=("citizen",),
    operation_id="me_wishes",
    any_app=True,
    tags=TAGS,
    problems=(ADULTS_ONLY, DEVICE_ON_PROBATION),
)
async def list_wishes(call: NamedDependency[Call]) -> Response[Wishes]:
    """The wishes that stand."""
    async with begin_for(call, "manage-wishes") as (tx, access):
        found = await service.wishes_of(tx, call.keys, access.patient_id)
    return answer(Wishes(items=[_view(one) for one in found], notice_vi=NOT_LEGAL_VI, notice_en=NOT_LEGAL_EN))


@put(
    "/v1/me/wishes/{kind:str}",
    actors=("citizen",),
    operation_id="me_state_wish",
    tags=TAGS,
    problems=(UNKNOWN_WISH, WISH_EMPTY, STEP_UP_REFUSED, ADULTS_ONLY, DEVICE_ON_PROBATION),
)
async def state_wish(
    kind: FromPath[str], data: JSONBody[WishStatement], call: NamedDependency[Call]
) -> Response[WishView]:
    """State a wish; what was said of the same before ends."""
    async with begin_for(call, "manage-wishes") as (tx, access):
        known = _kind(kind)
        if isinstance(known, Refused):
            return answer(known)
        options = {"environment": environment_of(call), "trace_id": call.request_id}
        said = await service.state_wish(
            tx, call.keys, access, _statement(known, data), signed_of(data.signed), **options, now=call.now
        )
    return answer(said if isinstance(said, Refused) else _view(said))


@delete(
    "/v1/me/wishes/{kind:str}",
    actors=("citizen",),
    operation_id="me_take_back_wish",
    any_app=True,
    tags=TAGS,
    status_code=204,
    problems=(UNKNOWN_WISH,),
)
async def take_back(kind: FromPath[str], call: NamedDependency[Call]) -> Response[None]:
    """Take a wish back; nobody sees it from now on."""
    async with begin_for(call, "manage-grants") as (tx, access):
        known = _kind(kind)
        if isinstance(known, Refused):
            return answer(known)
        return answer(await service.take_back(tx, access, known, trace_id=call.request_id, now=call.now))


def _kind(text: str) -> WishKind | Refused:
    return next((kind for kind in WISH_KINDS if kind == text), None) or Refused(problem=UNKNOWN_WISH)


def _statement(kind: WishKind, data: WishStatement) -> NewWish:
    return NewWish(
        kind=kind,
        words=Words(choice=data.choice, text=data.text),
        shown_to_doctors=data.shown_to_doctors,
        shown_on_paper=data.shown_on_paper,
    )


def _view(one: Wish) -> WishView:
    return WishView(
        wish_id=one.wish_id,
        kind=one.kind,
        title_vi=one.title_vi,
        version=one.version,
        choice=one.choice,
        text=one.text,
        shown_to_doctors=one.shown_to_doctors,
        shown_on_paper=one.shown_on_paper,
        said_at=one.said_at,
    )


handlers: list[Any] = [list_wishes, state_wish, take_back]
