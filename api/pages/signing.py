"""Acts that a browser's key signs (security.md S11): the text, the form around it, and what the form brings.

    signing = await text_to_sign(visit, "share-link", expires_at=…)     # None: this browser has no key
    {{ sign.sign_form("/me/…", signing, say("Đồng ý", "Agree"), {…}) }}   # templates/parts/signing.html
    body = {…, "signed": signed_act(form)}                               # the contract's SignedAct

The page shows the facts in words beside the button. The service rebuilds the text from what the form sends:
a form that says something else than what was signed does nothing.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import rfc8785
from msgspec import Struct

from api.citizen.grants import environment_of
from api.pages.inside import ask
from api.pages.showing import Visit
from kernel.problems import ProblemError

LIFE_SECONDS: Final = 5 * 60
NONCE_BYTES: Final = 16


class Signing(Struct, frozen=True, kw_only=True):
    """text: JCS, what the key signs. credential: the key's id. nonce, iat, exp: for the form."""

    text: str
    credential: str
    nonce: str
    iat: int
    exp: int


async def text_to_sign(visit: Visit, typ: str, **facts: Any) -> Signing | None:
    """What this browser's key would sign; None where the session stands on no browser's key.

    facts: as the route of the act names them, JSON values. Who acts for another person names that book too.
    """
    own = await _own(visit)
    return _signing(visit, own, typ, facts) if own else None


async def texts_to_sign(
    visit: Visit, typ: str, each: Mapping[str, Mapping[str, Any]]
) -> dict[str, Signing | None]:
    """The same for several acts of one page, which asks once whose key this is. each: facts by name."""
    own = await _own(visit) if each else None
    return {name: _signing(visit, own, typ, facts) if own else None for name, facts in each.items()}


def _signing(visit: Visit, own: dict[str, Any], typ: str, facts: Mapping[str, Any]) -> Signing:
    instant, nonce = int(visit.call.now.timestamp()), new_nonce()
    act = {
        "typ": typ,
        "environment": environment_of(visit.call),
        "patient_id": own["patient_id"],
        "device_id": own["device_id"],
        "nonce": nonce,
        "iat": instant,
        "exp": instant + LIFE_SECONDS,
    }
    book = {"book": visit.book} if visit.book else {}
    text = rfc8785.dumps({**act, **book, **facts}).decode()
    return Signing(
        text=text, credential=own["credential_id"], nonce=nonce, iat=instant, exp=instant + LIFE_SECONDS
    )


def signed_act(form: dict[str, str]) -> dict[str, Any]:
    """The SignedAct of a form. What is missing or no number stays so, and the service says so."""
    return {
        "nonce": form.get("nonce", ""),
        "iat": _number(form.get("iat", "")),
        "exp": _number(form.get("exp", "")),
        "signature": form.get("signature", ""),
    }


def step_up_header(form: dict[str, str]) -> dict[str, str]:
    """The same for downloads, which take it as a header."""
    packed = urlsafe_b64encode(msgspec.json.encode(signed_act(form))).rstrip(b"=")
    return {"x-step-up": packed.decode()}


def new_nonce() -> str:
    """Serves once, as the contract wants it: 16 bytes, base64url."""
    return urlsafe_b64encode(secrets.token_bytes(NONCE_BYTES)).rstrip(b"=").decode()


async def _own(visit: Visit) -> dict[str, Any] | None:
    """The signed-in person and the browser's key, whoever's book is open."""
    said = {}
    for path in ("/v1/me", "/v1/me/devices"):
        reply = await ask(visit.call, "GET", path, token=visit.token)
        refused = reply.refused()
        if refused is not None:
            raise ProblemError(refused)
        said[path] = reply.data()
    mine = (one for one in said["/v1/me/devices"]["items"] if one["this_device"] and one.get("credential_id"))
    device = next(mine, None)
    return None if device is None else {**device, "patient_id": said["/v1/me"]["patient_id"]}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
