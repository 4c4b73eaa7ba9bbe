"""A small process that holds the embedded PostgreSQL: prints whether it started it, then waits."""

import signal
import sys
import threading
from pathlib import Path

from store.postgres import start_server


def main() -> None:
    # Started in the background of a shell, a process is born with this signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server = start_server(Path(sys.argv[1]))
    try:
        sys.stdout.write(f"{'owned' if server.owned else 'shared'} {server.dsn('hb_owner')}\n")
        sys.stdout.flush()
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
