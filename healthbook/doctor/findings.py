"""One thing to be mended, and how it is told."""

import msgspec
from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True):
    """name: stays the same, for scripts. what: as it is now; why: what can come of it; do: what to do next.
    No finding holds a secret, an address of a person or anything of a record."""

    name: str
    what: str
    why: str
    do: str


def as_text(found: list[Finding], *, as_json: bool, demo: bool) -> str:
    """What an operator or a monitor reads."""
    if as_json:
        return msgspec.json.encode(found).decode()
    lines = ["A demo: keys and journal lie beside the data; that is not judged."] if demo else []
    for number, one in enumerate(found, 1):
        lines += [f"{number}. {one.what} [{one.name}]", f"   Why: {one.why}", f"   Do:  {one.do}"]
    return "\n".join(lines if found else [*lines, "Nothing to mend."])
