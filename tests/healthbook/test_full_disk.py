"""Where a line of the log cannot be written, what the line is about still happens."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")

LOGGING = """
import sys, structlog
from healthbook.logs import configure_logs
configure_logs()
structlog.get_logger("test").error("request failed", error="Named")
sys.stderr.write("went on")
"""
# What the child's end does must not run in the parent's place: it would stop its siblings.
FORKING = """
import os, sys
from healthbook.serve import fork_child
def crash():
    print("a line")
    raise ValueError
parent = os.getpid()
try:
    pid = fork_child(crash)
finally:
    if os.getpid() != parent:
        os.write({told}, b"the child goes on as the parent;")
_, status = os.waitpid(pid, 0)
os.write({told}, b"%d of %d" % (os.waitstatus_to_exitcode(status), os.getpid()) + b";")
os._exit(0)
"""


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", LOGGING], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.stderr.startswith(b"went on"), done.stderr


def test_a_child_that_cannot_say_why_it_ends_ends() -> None:
    import os

    here, there = os.pipe()
    with open("/dev/full", "wb") as full:
        parent = subprocess.Popen(
            [sys.executable, "-c", FORKING.format(told=there)], stdout=full, stderr=full, pass_fds=[there]
        )
        os.close(there)
        parent.wait(60)
    with os.fdopen(here, "rb") as said:
        assert said.read() == b"1 of %d;" % parent.pid
