"""The browser of a kiosk: signed in as a device, for whoever stands before it, and for nobody twice.

    kiosk-key   what the device was given once, as `client_id.secret`, for a year
    kiosk       the token of an hour that it gets with that, anew whenever the one before is about to end

Nothing of a person is in either. A form counts for a few minutes: what somebody sent before cannot be sent
again by "back" and "send again", when somebody else stands there.
"""

import hmac
from collections.abc import Sequence
from typing import Any, Final

from api.pages.browser import OWN_FORM, cookie, form_of, form_secret, require_own_form, set_cookie
from api.pages.inside import ask
from api.pages.showing import Shown, Visit
from api.problems import NOT_SIGNED_IN
from api.request import Call
from identity.problems import SIGN_IN_REFUSED
from kernel.problems import ProblemError, Refused

KEY_SECONDS: Final = 365 * 24 * 3600
# Tokens live an hour (api/public/auth.py): the cookie goes before, so that no form meets an ended one.
TOKEN_SECONDS: Final = 55 * 60
# An idle start page is drawn anew once a minute; a form of the window before counts as well.
WINDOW_SECONDS: Final = 120


class KioskVisit(Visit):
    """One request of a kiosk. renewed: its token is new, and the answer brings it along."""

    def __init__(self, call: Call, token: str, key: str, *, renewed: bool = False) -> None:
        super().__init__(call, "kiosk", token)
        self._key = key
        self._renewed = [set_cookie(call, "kiosk", token, TOKEN_SECONDS)] if renewed else []
        self._window = int(call.now.timestamp()) // WINDOW_SECONDS
        self.book = str(self._window)

    @property
    def secret(self) -> str:
        """The device's own: it outlives its tokens, so a form that was drawn with the last one counts."""
        return self._key or self.token

    async def form(self) -> dict[str, str]:
        """What a form of this kiosk sent within these minutes. Raises page-form-stale for every other."""
        form = await form_of(self.call)
        given, before = form.pop(OWN_FORM, ""), str(self._window - 1)
        is_before = hmac.compare_digest(form_secret(self.secret, before).encode(), given.encode())
        require_own_form(self.call, given, self.secret, before if is_before else self.book)
        return form

    def show(
        self, template: str, title: tuple[str, str], *, cookies: Sequence[str] = (), **members: Any
    ) -> Shown:
        return super().show(template, title, cookies=(*self._renewed, *cookies), **members)

    def go(self, address: str, cookies: Sequence[str] = ()) -> Shown:
        return super().go(address, (*self._renewed, *cookies))


async def open_kiosk(call: Call) -> KioskVisit:
    """A page of a kiosk that was set up. Raises not-signed-in, which leads to the set-up."""
    token, key = cookie(call, "kiosk"), cookie(call, "kiosk-key")
    if token:
        return KioskVisit(call, token, key)
    fresh = await new_token(call, key)
    if isinstance(fresh, Refused):
        ended = fresh.problem == SIGN_IN_REFUSED
        raise ProblemError(Refused(problem=NOT_SIGNED_IN) if ended else fresh)
    return KioskVisit(call, fresh, key, renewed=True)


async def new_token(call: Call, key: str) -> str | Refused:
    """A token of an hour for the device's key; refused where the kiosk was ended or the key is no key."""
    client_id, _, secret = key.partition(".")
    if not secret:
        return Refused(problem=SIGN_IN_REFUSED)
    body = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    reply = await ask(call, "POST", "/v1/auth/token", body=body)
    return reply.refused() or str(reply.data()["access_token"])
