"""What the person lets be done with the own data, purpose by purpose: nothing is ticked beforehand.

The app asks at first use what `GET /v1/me/purposes` shows as unanswered, each purpose by itself.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.acting import begin_for
from api.citizen.grants import SignedAct, environment_of, signed_of
from api.request import Call, answer
from consent.purposes import service
from consent.purposes.catalogue import KEYS, Basis, Lang, PurposeKey, text_sha256
from consent.purposes.problems import PURPOSE_BY_LAW, PURPOSE_CHANGED, UNKNOWN_PURPOSE
from consent.purposes.queries import ChoiceRow, Withdrawal
from consent.purposes.service import Said, Saying, State
from family.problems import GUARDIAN_NEEDED
from identity.problems import DEVICE_ON_PROBATION, STEP_UP_REFUSED
from kernel.problems import Refused

TAGS = ["purposes"]


class PurposeWords(Struct, kw_only=True):
    """sha256: of JCS {key, version, lang, title, text}, in hexadecimal, which the device signs with."""

    lang: Lang
    title: str
    text: str
    sha256: str


class PurposeView(Struct, kw_only=True):
    """A purpose. basis law: shown only. state asked-again: the words changed since the answer, which does not
    count until it is given anew."""

    purpose: PurposeKey
    version: str
    basis: Basis
    state: State
    said_at: datetime | None
    words: list[PurposeWords]


class PurposeAnswer(Struct, kw_only=True):
    """One answer of the past."""

    choice_id: UUID
    agreed: bool
    version: str
    lang: Lang
    text_sha256: str
    said_at: datetime


class WithdrawalView(Struct, kw_only=True):
    """A withdrawal and its clock."""

    choice_id: UUID
    opened_at: datetime
    answer_by: datetime
    done_by: datetime
    extended: bool
    answered_at: datetime | None
    done_at: datetime | None


class PurposeWithHistory(Struct, kw_only=True):
    """A purpose with every answer and withdrawal, newest first."""

    purpose: PurposeView
    answers: list[PurposeAnswer]
    withdrawals: list[WithdrawalView]


class Purposes(Struct, kw_only=True):
    items: list[PurposeView]


class PurposeChoice(Struct, kw_only=True, forbid_unknown_fields=True):
    """The answer to the words of that version and language. agreed: yes or no. version, lang: of the words
    that were shown.

    A yes is signed: the device signs JCS of typ
    purpose-consent, environment, patient_id, device_id, nonce, iat, exp, purpose, version, lang and
    text_sha256."""

    agreed: bool
    version: Annotated[str, Meta(min_length=1, max_length=8)]
    lang: Lang = "vi"
    signed: SignedAct | None = None


@get("/v1/me/purposes", actors=("citizen",), operation_id="me_purposes", any_app=True, tags=TAGS, problems=())
async def list_purposes(call: NamedDependency[Call]) -> Response[Purposes]:
    """Every purpose that data may be used for, and what the person said to each."""
    async with begin_for(call, "read-account") as (tx, access):
        said = await service.purposes_of(tx, access.patient_id)
    return answer(Purposes(items=[_view(one) for one in said]))


@get(
    "/v1/me/purposes/{purpose:str}",
    actors=("citizen",),
    operation_id="me_purpose",
    any_app=True,
    tags=TAGS,
    problems=(UNKNOWN_PURPOSE,),
)
async def one_purpose(purpose: FromPath[str], call: NamedDependency[Call]) -> Response[PurposeWithHistory]:
    """One purpose that data may be used for, with its history."""
    async with begin_for(call, "read-account") as (tx, access):
        key = _key(purpose)
        if isinstance(key, Refused):
            return answer(key)
        said = await service.purpose_of(tx, access.patient_id, key)
        clocks = await service.withdrawals_of(tx, access.patient_id)
    return answer(_with_history(said, [one for one in clocks if one.purpose == key]))


@put(
    "/v1/me/purposes/{purpose:str}",
    actors=("citizen",),
    operation_id="me_say_to_purpose",
    any_app=True,
    tags=TAGS,
    problems=(
        UNKNOWN_PURPOSE,
        PURPOSE_BY_LAW,
        PURPOSE_CHANGED,
        STEP_UP_REFUSED,
        GUARDIAN_NEEDED,
        DEVICE_ON_PROBATION,
    ),
)
async def say(
    purpose: FromPath[str], data: JSONBody[PurposeChoice], call: NamedDependency[Call]
) -> Response[PurposeView]:
    """Agree to a purpose, refuse it, or withdraw what was agreed."""
    async with begin_for(call, "manage-purposes" if data.agreed else "manage-grants") as (tx, access):
        key = _key(purpose)
        if isinstance(key, Refused):
            return answer(key)
        options = {"environment": environment_of(call), "trace_id": call.request_id}
        said = await service.say(tx, access, key, _saying(data), **options, now=call.now)
    return answer(said if isinstance(said, Refused) else _view(said))


def _key(text: str) -> PurposeKey | Refused:
    return next((key for key in KEYS if key == text), None) or Refused(problem=UNKNOWN_PURPOSE)


def _saying(data: PurposeChoice) -> Saying:
    signed = signed_of(data.signed) if data.signed else None
    return Saying(agreed=data.agreed, version=data.version, lang=data.lang, signed=signed)


def _view(said: Said) -> PurposeView:
    purpose = said.purpose
    langs: tuple[Lang, ...] = ("vi", "en")
    return PurposeView(
        purpose=purpose.key,
        version=purpose.version,
        basis=purpose.basis,
        state=said.state,
        said_at=said.said_at,
        words=[
            PurposeWords(
                lang=lang,
                title=purpose.words(lang).title,
                text=purpose.words(lang).text,
                sha256=text_sha256(purpose, lang).hex(),
            )
            for lang in langs
        ],
    )


def _with_history(said: Said, clocks: list[Withdrawal]) -> PurposeWithHistory:
    return PurposeWithHistory(
        purpose=_view(said),
        answers=[_answer_view(row) for row in said.history],
        withdrawals=[
            WithdrawalView(
                choice_id=one.choice_id,
                opened_at=one.opened_at,
                answer_by=one.answer_by,
                done_by=one.done_by,
                extended=one.extended,
                answered_at=one.answered_at,
                done_at=one.done_at,
            )
            for one in clocks
        ],
    )


def _answer_view(row: ChoiceRow) -> PurposeAnswer:
    return PurposeAnswer(
        choice_id=row.choice_id,
        agreed=row.agreed,
        version=row.version,
        lang=row.lang,
        text_sha256=row.text_sha256.hex(),
        said_at=row.said_at,
    )


handlers: list[Any] = [list_purposes, one_purpose, say]
