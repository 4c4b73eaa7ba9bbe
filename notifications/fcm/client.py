"""One app of firebase-admin with its HTTP/2 connection, in the event loop that made it."""

import asyncio
from typing import Final
from uuid import uuid4

import firebase_admin
from firebase_admin import messaging

from notifications.fcm.credential import LoopCredential

HTTP_TIMEOUT_SECONDS: Final = 10


class FcmClient:
    """Several can live side by side; each has a name of its own."""

    def __init__(self, project_id: str, credential: LoopCredential) -> None:
        self._app = firebase_admin.initialize_app(
            credential,
            {"projectId": project_id, "httpTimeout": HTTP_TIMEOUT_SECONDS},
            name=f"push-{uuid4()}",
        )
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def send(self, message: messaging.Message, deadline_seconds: float) -> messaging.SendResponse:
        """The answer to one message. Raises TimeoutError, FirebaseError, ValueError where it is malformed."""
        self._open += 1
        self._idle.clear()
        try:
            async with asyncio.timeout(deadline_seconds):
                answer = await messaging.send_each_async([message], app=self._app)
        finally:
            self._open -= 1
            if self._open == 0:
                self._idle.set()
        return answer.responses[0]

    async def close(self) -> None:
        """Once nothing is under way, end the connection in this loop.

        firebase-admin would end it in a loop of its own. The names are private: the version is pinned.
        """
        await self._idle.wait()
        service = self._app._services.get("_messaging")
        if service is not None:
            await service._async_client.async_client.aclose()
        await asyncio.to_thread(firebase_admin.delete_app, self._app)
