"""Forms and queries of OAuth endpoints (RFC 6749 appendix B, §3.1: no parameter twice)."""

from typing import Final
from urllib.parse import parse_qsl

FORM_MAX: Final = 16 * 1024


def read_form(body: bytes) -> dict[str, str] | None:
    """The parameters of a query or of a form body; None: no form, or one that says a thing twice."""
    if len(body) > FORM_MAX:
        return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=60)
    except (UnicodeDecodeError, ValueError):
        return None
    found = dict(pairs)
    if len(found) != len(pairs) or any("\0" in value for value in found.values()):
        return None
    return {name: value for name, value in found.items() if value}
