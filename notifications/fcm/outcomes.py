"""What an answer of FCM makes of a delivery (notifications.md §4). Pure.

error_code is one of our words or the code of an error class: never a text of FCM, which can hold a target.
"""

import msgspec
from firebase_admin import exceptions, messaging
from msgspec import Struct, field

from notifications.breaker import retry_after_seconds
from notifications.models import Outcome

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
# How FCM calls the address in a message.
_TARGETS = frozenset({"message.token", "message.fid"})

# Google's token endpoint gave none: nothing left.
NO_TOKEN = Outcome(status="unknown", error_code="token-fetch", attempted=False)
DEADLINE = Outcome(status="unknown", error_code="deadline")
# The way is down, whatever the message.
UNREACHABLE = frozenset({"deadline", "timeout", "connection", "unavailable", "token-fetch"})

# Our own bug: a dead letter that somebody must look at.
MALFORMED = Outcome(status="dropped", error_code="invalid-message")

_BY_CLASS: tuple[tuple[type[Exception], Outcome], ...] = (
    (
        messaging.UnregisteredError,
        Outcome(status="failed", error_code="unregistered", target_dead=True),
    ),
    (
        messaging.SenderIdMismatchError,
        Outcome(status="failed", error_code="sender-mismatch", target_dead=True),
    ),
    (messaging.QuotaExceededError, Outcome(status="retry", error_code="quota")),
    (messaging.ThirdPartyAuthError, Outcome(status="retry", error_code="third-party-auth")),
    (exceptions.UnavailableError, Outcome(status="retry", error_code="unavailable")),
    (exceptions.InternalError, Outcome(status="retry", error_code="internal")),
    (exceptions.DeadlineExceededError, Outcome(status="unknown", error_code="timeout")),
)


class _Violation(Struct):
    field: str = ""


class _Detail(Struct):
    type_: str = field(name="@type", default="")
    violations: list[_Violation] = field(name="fieldViolations", default_factory=list)


class _Error(Struct):
    details: list[_Detail] = []


class _Body(Struct):
    error: _Error


def outcome_of(error: exceptions.FirebaseError) -> Outcome:
    """The outcome of one message that FCM did not accept, or of which nobody knows."""
    if isinstance(error, exceptions.InvalidArgumentError):
        return _of_invalid(_details(error))
    for kind, outcome in _BY_CLASS:
        if isinstance(error, kind):
            return _with_pause(outcome, error)
    if error.http_response is None:
        return Outcome(status="unknown", error_code="connection")
    return Outcome(status="unknown", error_code=str(error.code).lower().replace("_", "-"))


def _of_invalid(details: list[_Detail]) -> Outcome:
    """A wrong target dies; a wrong message is our own bug, and no target is deleted for it.

    FCM can send both details: then the fields that were violated tell.
    """
    kinds = {detail.type_ for detail in details}
    fields = {one.field for detail in details if detail.type_ == BAD_REQUEST for one in detail.violations}
    if FCM_ERROR in kinds and (BAD_REQUEST not in kinds or (fields and fields <= _TARGETS)):
        return Outcome(status="failed", error_code="invalid-target", target_dead=True)
    return MALFORMED


def _details(error: exceptions.FirebaseError) -> list[_Detail]:
    try:
        return msgspec.json.decode(error.http_response.content, type=_Body).error.details
    except (AttributeError, msgspec.MsgspecError):
        return []


def _with_pause(outcome: Outcome, error: exceptions.FirebaseError) -> Outcome:
    """With the seconds that FCM asked to be left alone for, where it said any."""
    if outcome.status != "retry" or error.http_response is None:
        return outcome
    seconds = retry_after_seconds(error.http_response.headers.get("retry-after"))
    if seconds is None:
        return outcome
    return Outcome(status="retry", error_code=outcome.error_code, retry_after_seconds=seconds)
