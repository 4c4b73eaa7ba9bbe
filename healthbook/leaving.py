"""How the parent tells its forked API processes that they are about to be stopped."""

import mmap


class Leaving:
    """One byte of memory that every process forked afterwards shares: set once, never taken back.

    While it is set `/health/ready` is red and each answer over HTTP/1 closes its connection: balancers and
    clients go elsewhere, and everything that still comes is answered.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def begin(self) -> None:
        """From now on; by the parent."""
        self._byte[0] = 1

    def __call__(self) -> bool:
        return self._byte[0] == 1
