"""`make mock`: Prism answers the document's operations with their examples, on loopback alone.

    PORT=4010 make mock

A file as the argument is served instead of openapi.json; Prism begins anew when the file changes. It holds
requests to the document, keeps nothing and knows nobody: any token will do.
"""

import os
import sys
from pathlib import Path

from node_packages import NoNodeError, node_modules

PLACE = Path(__file__).resolve().parent
PORT = 4010


def main() -> None:
    """Becomes Prism. Ends with 1, and says why, where it cannot be had."""
    try:
        place = node_modules(PLACE)
    except NoNodeError as error:
        sys.exit(str(error))
    port = os.environ.get("PORT", str(PORT))
    document = sys.argv[1] if len(sys.argv) > 1 else str(PLACE / "openapi.json")
    prism = place / "node_modules" / ".bin" / "prism"
    sys.stdout.write(f"http://127.0.0.1:{port} answers in some seconds.\n")
    sys.stdout.flush()
    command = [prism.name, "mock", "--host", "127.0.0.1", "--port", port, document]
    os.execv(prism, command)  # noqa: S606 a program of our own lock file


if __name__ == "__main__":
    main()
