"""Which senders carry what leaves: the providers that are set, and the record where there is none."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from healthbook.settings import Settings
from kernel.clock import Clock
from notifications.delivery import Senders
from notifications.fcm.account import read_account
from notifications.ports import PushSender, RecordingPushSender, RecordingSmsSender, SmsSender
from notifications.sms_template import read_template


@asynccontextmanager
async def opened_senders(settings: Settings, clock: Clock) -> AsyncIterator[Senders]:
    """The senders of this event loop, closed at the end. start_check.py refuses real ones in a demo.

    Raises AccountError where FCM_CREDENTIALS changed for the worse since the start.
    """
    async with AsyncExitStack() as stack:
        push: PushSender = RecordingPushSender()
        sms: SmsSender = RecordingSmsSender()
        if settings.fcm_credentials:
            from notifications.fcm.sender import FcmSender  # noqa: PLC0415 - heavy, for whoever has Firebase

            account = read_account(Path(settings.fcm_credentials))
            push = await stack.enter_async_context(FcmSender(account, clock))
        if settings.sms_gateway_url:
            from notifications.sms_gateway import Gateway, HttpSmsGateway  # noqa: PLC0415

            gateway = Gateway(
                url=settings.sms_gateway_url,
                template=read_template(settings.sms_gateway_template, settings.sms_gateway_format),
                id_at=settings.sms_gateway_id,
                accepted=settings.sms_gateway_accepted,
                token=settings.sms_gateway_token,
                secret=settings.sms_gateway_secret,
            )
            sms = await stack.enter_async_context(HttpSmsGateway(gateway, clock, settings.hotline))
        yield Senders(push, sms)
