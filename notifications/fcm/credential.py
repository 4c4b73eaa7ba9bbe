"""The access token of FCM, renewed in a thread of its own and never in the event loop.

firebase-admin renews it where a request finds it old or is answered 401, with a blocking request: with a
broken APNs key every message would stop the whole worker twice (notifications.md §3). It is given this
credential instead, which only remembers that a new token is wanted; the next batch fetches it first.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any

import msgspec
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from notifications.fcm.account import ServiceAccount

SCOPES = ("https://www.googleapis.com/auth/firebase.messaging",)
SECONDS_MAX = 5


class LoopCredential(Credentials):
    """One account's token. It belongs to the event loop that asks for it."""

    def __init__(self, account: ServiceAccount) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        read = service_account.Credentials.from_service_account_info
        self._account = read(msgspec.to_builtins(account), scopes=SCOPES)  # type: ignore[no-untyped-call]
        self._wanted = False
        self._renewal: asyncio.Task[str | None] | None = None

    async def ready(self) -> str | None:
        """Have a token that lasts for a batch. Returns the class of what went wrong, None when all is well.

        Who asks meanwhile waits for the same fetch; one that outlives its asker goes on for the next.
        """
        if self._account.valid and not self._wanted:
            return None
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(asyncio.to_thread(self._renew))
        return await asyncio.shield(self._renewal)

    def _renew(self) -> str | None:
        try:
            self._account.refresh(partial(Request(), timeout=SECONDS_MAX))
        except (GoogleAuthError, ValueError, TypeError) as error:
            return type(error).__name__
        self._wanted = False
        return None

    def refresh(self, _request: Any) -> None:
        """Called in the event loop, when FCM refused the token: it asks nobody here."""
        self._wanted = True

    def before_request(
        self, _request: Any, _method: str, _url: str, headers: MutableMapping[str, str]
    ) -> None:
        headers["authorization"] = f"Bearer {self._account.token}"
