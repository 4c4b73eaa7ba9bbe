"""The network to the other core is cut, held, slow and false: the book reads on with what it has."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.anomaly.crowd import crowd_at_work
from tests.anomaly.drill import BEFORE_SECONDS, WITHIN_SECONDS, Row
from tests.anomaly.installation import running
from tests.anomaly.line import Mode, line_to
from tests.support.bundles import rewrite_bundle
from tests.support.fhir_core import TOKEN, resources_of, running_peer
from tests.support.shared import shared

SAMPLE = "data/fhir/bundles/clinosim-us-pt-32b8c2988e1c.json.gz"
FAULTS: tuple[Mode, ...] = ("cut", "held", "slow", "lying")


@pytest.mark.drill
async def test_the_network_to_the_core_is_cut(place: Path, report: Callable[[Row], None]) -> None:
    recovery: list[float] = []
    slowest: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hbc-") as directory, running_peer(Path(directory)) as peer:
        at = urlsplit(peer.base)
        assert at.port is not None
        async with line_to("127.0.0.1", at.port) as line:
            settings = {
                "EHR_CORE_URL": f"http://127.0.0.1:{line.port}/fhir",
                "EHR_CORE_TOKEN": TOKEN,
                "EHR_CORE_NAME": "Bệnh viện Hồ Sơ Khác",
            }
            async with running(place, **settings) as installation, crowd_at_work(installation) as crowd:
                peer.put_many(resources_of(rewrite_bundle(shared(SAMPLE), crowd.phones[0])))
                await asyncio.sleep(BEFORE_SECONDS)
                for fault in FAULTS:
                    crowd.slowest = 0.0
                    line.be(fault)
                    await crowd.recovered(time.monotonic())
                    await asyncio.sleep(WITHIN_SECONDS)
                    slowest.append(f"{fault} {crowd.slowest:.1f}")
                    line.be("open")
                    recovery.append(await crowd.recovered(time.monotonic()))
    assert line.calls
    report(crowd.row("network to the core cut", recovery, f"slowest answer (s): {', '.join(slowest)}"))
