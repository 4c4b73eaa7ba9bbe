"""What a push shows on a locked phone: constants per type and language, without a parameter."""

from functools import cache
from importlib.resources import files

import msgspec

from notifications.inbox import Text
from notifications.models import Collapse, Language, NotificationType
from notifications.policy import COLLAPSE


def push_text(type_: NotificationType, language: Language) -> Text:
    """Title and text of a type: that of its group, so that a lock screen tells no more than what to do."""
    return _texts()[language][COLLAPSE[type_]]


@cache
def _texts() -> dict[Language, dict[Collapse, Text]]:
    raw = files("notifications").joinpath("texts", "push.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[Language, dict[Collapse, Text]])
