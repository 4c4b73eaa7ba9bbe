"""What a phone of the demo signs for each act, as mobile-contract/device-keys.md says.

A text is made of what is sent and of what the service shows, as an app makes it.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from msgspec import Struct

from consent.emergency.policy import CATEGORIES
from identity.identifiers import normal_phone
from identity.tokens import to_base64url
from kernel.access import Label

Body = dict[str, Any]


class Show(Protocol):
    """What the service shows at an address; sent: where the question is a body."""

    def __call__(self, path: str, sent: Body | None = None) -> Body: ...


Facts = Callable[[Show, str, Body], Body]

DAY_SECONDS: Final = 24 * 3600


class HandError(Exception):
    """What was asked cannot be done; the text says why."""


class PhoneAct(Struct, frozen=True, kw_only=True):
    """A route whose body is signed. path: a pattern; its group is the id in it.

    facts: what the text names beside the common members; it may fill in what the body left out, and takes out
    what is not sent. with_nonce: what else it names that the act's nonce goes into. is_bare: the body is the
    signature itself.
    """

    method: str
    path: str
    typ: str
    facts: Facts
    with_nonce: Callable[[Body, str], Body] | None = None
    is_bare: bool = False


def act_at(path: str) -> tuple[PhoneAct, str]:
    """The signed act of an address, and the id in it. Raises HandError."""
    for act in ACTS:
        if found := re.fullmatch(act.path, path):
            return act, found.group(1) if found.groups() else ""
    raise HandError(f"`sign` knows no act at {path}; without a signature: GET, POST, PUT, PATCH or DELETE.")


def in_order(labels: list[str]) -> list[str]:
    """Labels in the order of the API document."""
    return [label.name for label in Label if label.name in labels]


def _nothing(_show: Show, _id: str, _body: Body) -> Body:
    return {}


def _share_link(_show: Show, _id: str, body: Body) -> Body:
    usual: Body = {"long_term": False, "duration_seconds": DAY_SECONDS, "passcode": None, "papers": []}
    body |= usual | body
    body["documents"] = [{"attachment": 0} | one for one in body.get("documents", [])]
    return _of(body, "label", *usual, "documents")


def _arm(_show: Show, link_id: str, body: Body) -> Body:
    body.setdefault("passcode", None)
    return {"link_id": link_id, "passcode": body["passcode"]}


def _link(_show: Show, link_id: str, _body: Body) -> Body:
    return {"link_id": link_id}


def _share_code(_show: Show, _id: str, body: Body) -> Body:
    usual: Body = {
        "since": None,
        "until": None,
        "duration_seconds": DAY_SECONDS,
        "labels": [],
        "unlock": "pin",
    }
    body |= usual | body
    return _of(body, *usual) | {"types": sorted(_given(body, "types")), "labels": in_order(body["labels"])}


def _confirm(show: Show, grant_id: str, _body: Body) -> Body:
    grant = show(f"/v1/me/grants/{grant_id}")
    named = _of(grant, "version", "doctor", "licence", "facility", "labels", "since", "until")
    return {"grant_id": grant_id, "types": sorted(grant["types"]), "ends": _seconds(grant["ends_at"])} | named


def _renew(show: Show, grant_id: str, body: Body) -> Body:
    grant = show(f"/v1/me/grants/{grant_id}")
    body |= _of(grant, "types", "since", "until") | body
    named = _of(grant, "version", "doctor", "licence", "facility", "purpose")
    choice = _of(body, "since", "until", "duration_seconds") | {"types": sorted(body["types"])}
    return {"grant_id": grant_id} | named | choice


def _card(_show: Show, _id: str, body: Body) -> Body:
    return {"parts": sorted(_given(body, "parts")), "new_code": "no"}


def _new_code(show: Show, _id: str, _body: Body) -> Body:
    return {"parts": sorted(show("/v1/me/emergency-card")["parts"]), "new_code": "yes"}


def _contact(_show: Show, _id: str, body: Body) -> Body:
    phone = normal_phone(_given(body, "phone"))
    return _of(body, "name", "relation") | {"phone": phone or body["phone"]}


def _purpose(show: Show, purpose: str, body: Body) -> Body:
    asked = [one for one in show("/v1/me/purposes")["items"] if one["purpose"] == purpose]
    if not asked:
        raise HandError(f"{purpose} is none of `GET /v1/me/purposes`.")
    body |= {"agreed": True, "version": asked[0]["version"], "lang": "vi"} | body
    words = [one for one in asked[0]["words"] if one["lang"] == body["lang"]]
    if not words:
        raise HandError(f"{purpose} has no words in {body['lang']}.")
    return {"purpose": purpose, "text_sha256": words[0]["sha256"]} | _of(body, "version", "lang")


def _wish(_show: Show, kind: str, body: Body) -> Body:
    body |= {"choice": None, "text": "", "shown_to_doctors": False, "shown_on_paper": False} | body
    ticks = {name: "yes" if body[name] else "no" for name in ("shown_to_doctors", "shown_on_paper")}
    return {"kind": kind, "choice": body["choice"] or "", "text": body["text"]} | ticks


def _invite(_show: Show, _id: str, body: Body) -> Body:
    return {"scopes": sorted(set(_given(body, "scopes"))), "until": _given(body, "until")}


def _renew_proxy(_show: Show, proxy_id: str, body: Body) -> Body:
    return {"proxy_id": proxy_id, "until": _given(body, "until")}


def _tick(_show: Show, guardian_id: str, body: Body) -> Body:
    return {"guardian_id": guardian_id, "labels": sorted(_given(body, "labels"))}


def _connect(show: Show, request_id: str, body: Body) -> Body:
    """`code` of the body, the page's eight signs, is looked up and not sent on: it says who asks."""
    asking = show("/v1/me/app-requests/look", {"code": _given(body, "code")})
    if asking["request_id"] != request_id:
        raise HandError(f"The code is that of the request {asking['request_id']}.")
    del body["code"]
    named = _of(asking, "name", "holder") | {"client": asking["client_id"], "request_id": request_id}
    return named | {"ticked": sorted(_given(body, "ticked")), "days": _given(body, "days")}


def _connected(show: Show, consent_id: str, _body: Body) -> Body:
    given = [one for one in show("/v1/me/connected-apps")["items"] if one["consent_id"] == consent_id]
    if not given:
        raise HandError(f"{consent_id} is none of `GET /v1/me/connected-apps`.")
    parts = {name: sorted(given[0][name]) for name in ("groups", "types")}
    named = _of(given[0], "name", "scope") | {"client": given[0]["client_id"], "consent_id": consent_id}
    return named | parts | {"ends": _seconds(given[0]["ends_at"])}


def _trust(_show: Show, device_id: str, _body: Body) -> Body:
    return {"trusts": device_id}


def _pin_and_nonce(body: Body, nonce: str) -> Body:
    digest = hashlib.sha256(f"{nonce}.{_given(body, 'pin')}".encode()).digest()
    return {"pin_sha256": to_base64url(digest)}


def _phone(_show: Show, _id: str, body: Body) -> Body:
    phone = _given(body, "phone")
    return {"phone": normal_phone(phone) or phone}


def _settings(_show: Show, _id: str, body: Body) -> Body:
    chosen = _given(body, "withheld")
    return {"withheld": [one for one in CATEGORIES if one in chosen]}


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def _of(body: Body, *names: str) -> Body:
    return {name: _given(body, name) for name in names}


def _given(body: Body, name: str) -> Any:
    if name not in body:
        raise HandError(f"The body needs `{name}`.")
    return body[name]


ACTS: Final = (
    PhoneAct(method="POST", path="/v1/me/share-links", typ="share-link", facts=_share_link),
    PhoneAct(method="POST", path="/v1/me/share-links/([^/]+)/arm", typ="share-link-arm", facts=_arm),
    PhoneAct(method="POST", path="/v1/me/share-links/([^/]+)/confirm", typ="share-link-confirm", facts=_link),
    PhoneAct(method="POST", path="/v1/me/share-codes", typ="share-code", facts=_share_code),
    PhoneAct(method="POST", path="/v1/me/grants/([^/]+)/confirm", typ="consent-confirm", facts=_confirm),
    PhoneAct(method="POST", path="/v1/me/grants/([^/]+)/renew", typ="grant-renew", facts=_renew),
    PhoneAct(method="PUT", path="/v1/me/emergency-card", typ="emergency-card", facts=_card),
    PhoneAct(method="POST", path="/v1/me/emergency-card/code", typ="emergency-card", facts=_new_code),
    PhoneAct(method="POST", path="/v1/me/emergency-contacts", typ="emergency-contact", facts=_contact),
    PhoneAct(
        method="PUT", path="/v1/me/emergency-access/settings", typ="emergency-settings", facts=_settings
    ),
    PhoneAct(method="PUT", path="/v1/me/purposes/([^/]+)", typ="purpose-consent", facts=_purpose),
    PhoneAct(method="PUT", path="/v1/me/wishes/([^/]+)", typ="wish", facts=_wish),
    PhoneAct(method="POST", path="/v1/me/proxies/invitations", typ="proxy-invite", facts=_invite),
    PhoneAct(method="POST", path="/v1/me/proxies/([^/]+)/renew", typ="proxy-renew", facts=_renew_proxy),
    PhoneAct(method="PUT", path="/v1/me/family/([^/]+)/labels", typ="guardian-labels", facts=_tick),
    PhoneAct(method="POST", path="/v1/me/app-requests/([^/]+)/approve", typ="connect-app", facts=_connect),
    PhoneAct(
        method="POST",
        path="/v1/me/connected-apps/([^/]+)/confirm",
        typ="app-consent-confirm",
        facts=_connected,
    ),
    PhoneAct(method="POST", path="/v1/me/devices/([^/]+)/trust", typ="trust-device", facts=_trust),
    PhoneAct(method="POST", path="/v1/me/pin", typ="change-pin", facts=_nothing, with_nonce=_pin_and_nonce),
    PhoneAct(method="POST", path="/v1/me/phone", typ="change-phone", facts=_phone),
    PhoneAct(method="POST", path="/v1/me/account/close", typ="close-account", facts=_nothing, is_bare=True),
    PhoneAct(method="POST", path="/v1/me/erasure", typ="erase-person", facts=_nothing, is_bare=True),
    PhoneAct(
        method="POST", path="/v1/me/death-objection", typ="death-objection", facts=_nothing, is_bare=True
    ),
)
