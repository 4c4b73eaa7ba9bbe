"""The one shape of a push (notifications.md §6): constants, ids, and not a word of anybody. Pure."""

import warnings
from datetime import datetime, timedelta

from firebase_admin import messaging

from notifications.models import PushMessage
from notifications.push_texts import push_text

# FCM keeps nothing longer.
TTL_MAX = timedelta(days=28)
# Only what a person must see at once: FCM lowers an app that wakes phones for less.
HIGH = frozenset({"consent", "alert"})


def message_of(push: PushMessage, now: datetime) -> messaging.Message:
    """The message of a push that has a target and has not expired."""
    assert push.target is not None
    text = push_text(push.type, push.language)
    with warnings.catch_warnings():
        # Registration tokens are on their way out, and phones that have no installation id still live.
        warnings.filterwarnings("ignore", r"Message\.token is deprecated", DeprecationWarning)
        return messaging.Message(
            fid=push.target.value if push.target.kind == "fid" else None,
            token=push.target.value if push.target.kind == "fcm_token" else None,
            notification=messaging.Notification(title=text.title, body=text.text),
            data={"v": "1", "type": push.type, "id": str(push.id)},
            android=None if push.platform == "ios" else _android(push, now),
            apns=None if push.platform == "android" else _apns(push),
        )


def item_of(push: PushMessage) -> str:
    """What a device replaces an earlier copy by; at most 64 bytes (apns-collapse-id)."""
    return f"{push.type}-{push.id}"


def _android(push: PushMessage, now: datetime) -> messaging.AndroidConfig:
    return messaging.AndroidConfig(
        collapse_key=push.collapse,
        priority="high" if push.collapse in HIGH else "normal",
        ttl=timedelta(seconds=int(min(push.expires_at - now, TTL_MAX).total_seconds())),
        notification=messaging.AndroidNotification(
            tag=item_of(push), channel_id=push.collapse, visibility="private"
        ),
    )


def _apns(push: PushMessage) -> messaging.APNSConfig:
    return messaging.APNSConfig(
        headers={
            "apns-priority": "10" if push.collapse in HIGH else "5",
            "apns-expiration": str(int(push.expires_at.timestamp())),
            "apns-collapse-id": item_of(push),
        },
        # The app may put its own words in place of ours once the phone is unlocked.
        payload=messaging.APNSPayload(messaging.Aps(mutable_content=True, thread_id=push.collapse)),
    )
