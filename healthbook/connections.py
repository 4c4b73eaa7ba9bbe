"""How many connections a server process holds, and how long it waits for a request's head (security.md S33).

Granian holds a place for each open connection, silent ones too, and takes no further one when all are held:
with its own 512 a thousand silent sockets made two processes deaf for half a minute (measured). Silence is
cheap, so there are thousands of places; what works at once is bounded by api/load.py, and how many
connections one address may hold by the proxy (docker/proxy/nginx.conf), which alone sees addresses.
"""

import resource
from typing import Any, Final

CONNECTIONS_MAX: Final = 8192
# Files, sockets of the database and of the log are open beside them.
OTHER_FILES: Final = 512
HEAD_MILLISECONDS: Final = 15_000


def connection_limits() -> dict[str, Any]:
    """What Granian is given. Lets this process and its children open as many files as the system admits."""
    from granian.constants import HTTPModes  # noqa: PLC0415
    from granian.http import HTTP1Settings  # noqa: PLC0415

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = CONNECTIONS_MAX + OTHER_FILES if most == resource.RLIM_INFINITY else most
    wanted = min(files, CONNECTIONS_MAX + OTHER_FILES)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), most)
    )
    return {
        # Waiting to learn which version a caller speaks, Granian waits for ever; HTTP/2 ends at the proxy.
        "http": HTTPModes.http1,
        "backpressure": max(64, wanted - OTHER_FILES),
        "http1_settings": HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS),
    }
