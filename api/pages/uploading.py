"""Forms with a file in them (multipart/form-data, RFC 7578), as browsers without script send them; and forms
whose button makes one thing however often it is pressed."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

from litestar.datastructures import UploadFile
from msgspec import Struct

from api.pages.browser import FORM_STALE, OWN_FORM, require_own_form
from api.pages.showing import Visit
from kernel.problems import refuse

FIELDS_MAX: Final = 40


class Sent(Struct, frozen=True):
    """What came. fields: as `Visit.form` says them; file: empty where none was chosen; media_type: as the
    browser calls it, which nobody relies on: the contract looks at the content."""

    fields: dict[str, str]
    file: bytes
    media_type: str


async def form_with_file(visit: Visit, name: str) -> Sent:
    """The form and the file of its input `name`. The session is looked at before the body is read, which may
    be large: the route names `request_max_body_size`. Raises page-form-stale as `Visit.form` does."""
    await visit.read("/v1/me")
    form = await visit.call.request.form()
    pairs = list(form.multi_items())
    fields = {key: value for key, value in pairs if isinstance(value, str)}
    if len(pairs) > FIELDS_MAX or any("\0" in value for value in fields.values()):
        refuse(FORM_STALE)
    require_own_form(visit.call, fields.pop(OWN_FORM, ""), visit.secret, visit.book)
    file = next((value for key, value in pairs if key == name and isinstance(value, UploadFile)), None)
    content = await file.read() if file is not None else b""
    kept = {key: value for key, value in fields.items() if value}
    return Sent(kept, content, file.content_type if file is not None and content else "")


def new_key() -> str:
    """For the hidden field `once` of a form: a second press repeats the first one's act."""
    return secrets.token_urlsafe(24)


def once_of(fields: Mapping[str, str], file: bytes = b"") -> dict[str, str]:
    """The header under which the service does an act once. It names what was filled in too: a form that was
    refused and then corrected is another act, which the service would refuse under the first one's key."""
    if "once" not in fields:
        return {}
    said = "\0".join(f"{name}={fields[name]}" for name in sorted(fields))
    return {"idempotency-key": hashlib.sha256(said.encode() + b"\0" + file).hexdigest()}
