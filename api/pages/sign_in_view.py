"""What the pages of the sign-in read out of a form, a cookie and a browser's name for itself."""

import re
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from identity.devices import NewDevice
from identity.signatures import Jwk

# Devices of everybody who signed in with this browser, newest first.
BROWSERS_MAX: Final = 5
BROWSER_SECONDS: Final = 365 * 24 * 3600
_NUMBER: Final = re.compile(r"[0-9]{12}")
_PROGRAMS: Final = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


class Registration(Struct, frozen=True, forbid_unknown_fields=True):
    """What approve.js sends of a new key. x, y: the refresh key's point. proof: its signature of the
    enrolment. credential: the JSON of navigator.credentials.create()."""

    x: Annotated[str, Meta(min_length=43, max_length=43)]
    y: Annotated[str, Meta(min_length=43, max_length=43)]
    proof: Annotated[str, Meta(max_length=100)]
    credential: Annotated[str, Meta(max_length=8192)]


def new_browser(text: str, name: str) -> NewDevice | None:
    """The device that a registration asks for; None where the text is none."""
    try:
        said = msgspec.json.decode(text, type=Registration)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
    return NewDevice(
        kind="browser",
        name=name,
        user_present=True,
        refresh_key=Jwk(x=said.x, y=said.y),
        refresh_proof=said.proof,
        step_up_registration=said.credential,
    )


def browser_name(user_agent: str) -> str:
    """How the person finds this browser again in the list of devices: `Chrome trên Windows`."""
    safari = "Safari" if "Safari" in user_agent else "Trình duyệt"
    program = next((name for sign, name in _PROGRAMS if f"{sign}/" in user_agent), safari)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{program} trên {system}" if system else program


def kind_of(typed: str) -> Literal["number", "phone"]:
    """Twelve digits are a personal number; whatever else is tried as a phone."""
    return "number" if _NUMBER.fullmatch("".join(typed.split())) else "phone"


def devices_in(cookie: str) -> list[UUID]:
    """The ids in the cookie `browser`; what is no id is left out."""
    found = []
    for one in cookie.split(".")[:BROWSERS_MAX]:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


def with_device(cookie: str, device_id: UUID) -> str:
    """The cookie with this device first."""
    others = [one for one in devices_in(cookie) if one != device_id]
    return ".".join(str(one) for one in [device_id, *others][:BROWSERS_MAX])
