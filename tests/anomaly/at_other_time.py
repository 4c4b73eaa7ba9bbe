"""`healthbook` whose clock is off by the seconds that stand in the file of DRILL_CLOCK_OFFSET; all else is as
it runs. (libfaketime breaks Python's own sleeping: bookworm's knows no sleep until an instant.)
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from healthbook.cli import main
from kernel.clock import SystemClock

if __name__ == "__main__":
    offset = Path(os.environ["DRILL_CLOCK_OFFSET"])

    def now(_self: SystemClock) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=int(offset.read_text() or 0))

    SystemClock.now = now  # type: ignore[method-assign]
    main()
