"""Who is in a demo and what their phones can do, as its pages see it. The sheet behind it comes from outside
(healthbook/demo_desk.py): nothing here knows where it lies, and without a demo nobody gives one."""

from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct


class DemoOwner(Struct, frozen=True, kw_only=True):
    """A citizen with an account. says: what the person is an example of, in both languages."""

    key: str
    patient_id: str
    device_id: str
    name: str
    number: str
    phone: str
    pin: str
    says: tuple[str, str]


class DemoWorker(Struct, frozen=True, kw_only=True):
    """Somebody at a facility. code: the one-time password of now. next_code: the one after it, which a door
    takes already (RFC 6238 §5.2): each opens one door once."""

    name: str
    role: str
    username: str
    password: str
    code: str
    next_code: str
    facility: str


class DemoKiosk(Struct, frozen=True, kw_only=True):
    client_id: str
    client_secret: str
    facility: str


class DemoPeople(Struct, frozen=True, kw_only=True):
    """changes_at: when all one-time passwords change."""

    owners: list[DemoOwner]
    workers: list[DemoWorker]
    kiosks: list[DemoKiosk]
    changes_at: datetime

    def owner(self, key: str) -> DemoOwner | None:
        """Of the sheet, by key; None for nobody."""
        return next((one for one in self.owners if one.key == key), None)


class DemoDesk(Protocol):
    """The sheet of a demo, and its phones at work."""

    def people(self, now: datetime) -> DemoPeople | None:
        """None where no sheet lies beside the data."""
        ...

    async def ask(self, key: str, path: str) -> Any | None:
        """What the service shows the phone of that citizen; None where it does not answer."""
        ...

    async def trust(self, key: str, device_id: str) -> bool:
        """The phone answers for another device of its person, as the contract wants it signed."""
        ...

    async def allow(self, key: str, request_id: str, digits: str) -> bool:
        """The phone agrees to a request as it was asked, by the digits of the doctor's screen."""
        ...
