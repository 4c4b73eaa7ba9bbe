"""What `healthbook demo` hands out: who can sign in, and with what. Everybody in it is invented."""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

NOTE = "Dữ liệu bịa đặt: không ai trong đây có thật. / Invented data: nobody in here exists."


class DemoDevice(Struct, frozen=True, kw_only=True):
    """A phone that is past its probation. Keys are private JWK texts (EC P-256); HOTP secret in base64url.

    refresh_token opens its session once (POST /v1/auth/refresh, signed by the refresh key); afterwards
    the same keys sign in again with the letters of the SMS and the PIN.
    """

    device_id: str
    refresh_token: str
    refresh_key: str
    step_up_key: str
    hotp_secret: str


class DemoCitizen(Struct, frozen=True, kw_only=True):
    """card_text: what the QR code of this person's identity card would hold, for a scanner or a kiosk."""

    patient_id: str
    key: str
    name: str
    birth_date: str
    sex: str
    number: str
    phone: str
    pin: str
    device: DemoDevice
    card_text: str = ""


class DemoChild(Struct, frozen=True, kw_only=True):
    """A child without an account; guardian: the key of the citizen who acts by X-Patient-Id."""

    patient_id: str
    key: str
    name: str
    birth_date: str
    number: str
    guardian: str


class DemoUnlinkedChild(DemoChild, frozen=True, kw_only=True):
    """A child whose number is verified and for whom nobody acts yet; guardian: who may, once the stand-in
    identity provider names the child."""


class DemoElder(Struct, frozen=True, kw_only=True):
    """Somebody without a phone; proxy: the key of whom a desk let act, by X-Patient-Id."""

    patient_id: str
    key: str
    name: str
    birth_date: str
    number: str
    proxy: str


class DemoPractitioner(Struct, frozen=True, kw_only=True):
    """Anybody who signs in at a facility: doctors, nurses, pharmacists, the staff of the desk, officers and
    analysts. unit: where a role is placed, if at all; an emergency unit's may break the glass."""

    practitioner_id: str
    practitioner_role_id: str
    name: str
    role: str
    username: str
    password: str
    totp_secret: str
    facility_code: str
    facility: str
    unit: str | None = None


class DemoClient(Struct, frozen=True, kw_only=True):
    """A facility system or kiosk: client credentials."""

    client_id: str
    client_secret: str
    kind: str
    facility_code: str
    facility: str


class DemoAppClient(Struct, frozen=True, kw_only=True):
    """A partner, or an app that people may choose. private_key: the JWK text that a partner signs with; an
    app has none. redirect_uri: where the person's browser goes back to."""

    client_id: str
    key: str
    kind: str
    name: str
    redirect_uri: str
    private_key: str = ""


class DemoOperator(Struct, frozen=True, kw_only=True):
    username: str
    password: str
    totp_secret: str


class DemoSheet(Struct, frozen=True, kw_only=True):
    note: str
    base_url: str
    inbox_url: str
    citizens: list[DemoCitizen]
    practitioners: list[DemoPractitioner]
    desk_staff: list[DemoPractitioner]
    administrators: list[DemoPractitioner]
    facility_systems: list[DemoClient]
    kiosks: list[DemoClient]
    operators: list[DemoOperator]
    children: list[DemoChild] = []
    elders: list[DemoElder] = []
    unlinked_children: list[DemoUnlinkedChild] = []
    app_clients: list[DemoAppClient] = []

    def at(self, base_url: str) -> "DemoSheet":
        """The same sheet for a server at another address."""
        return msgspec.structs.replace(self, base_url=base_url, inbox_url=f"{base_url}/demo/inbox")


def save_sheet(sheet: DemoSheet, path: Path) -> None:
    """Keep the sheet beside the data, readable by its owner only."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(sheet)))
    partial.rename(path)


def load_sheet(path: Path) -> DemoSheet:
    return msgspec.json.decode(path.read_bytes(), type=DemoSheet)
