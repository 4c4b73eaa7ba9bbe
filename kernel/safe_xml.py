"""How XML that came from outside is parsed, wherever it is."""

from typing import Any


def parser_options(*, keep_all: bool = False) -> dict[str, Any]:
    """What every parser of received XML is made with (XXE, entity bombs, look-ups). keep_all: comments and
    instructions too, which a signature covers."""
    return {
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "huge_tree": False,
        "remove_comments": not keep_all,
        "remove_pis": not keep_all,
    }
