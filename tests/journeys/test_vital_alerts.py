"""From a finger clip to whoever follows, over the real server: a batch, an alert, a push, and who is next."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.journeys.conftest import People
from tests.journeys.test_prescription import WAIT_SECONDS, wait_for
from tests.journeys.test_reminders import pushes, told
from tests.support.client import Api, App
from tests.support.service import Service, rows

STEP = "vital-alert-step"
RULES = "/v1/me/alert-rules"
ALERTS = "/v1/me/alerts"


def measured(*values: float, seq: int) -> dict[str, Any]:
    """Readings of a finger clip of the last minutes."""
    now = datetime.now(UTC)
    samples = [
        {"id": str(uuid4()), "k": "spo2", "t": _text(now - timedelta(minutes=place)), "v": value, "u": "%"}
        for place, value in enumerate(reversed(values))
    ]
    sources = [{"app": "vn.example.clip", "kind": "oximeter"}]
    return {"device": "journey", "seq": seq, "sent_at": _text(now), "sources": sources, "samples": samples}


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def follow(person: App, follower: App) -> None:
    """The person lets somebody follow what is measured."""
    facts = {"scopes": ["vitals"], "until": f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}"}
    invited = person.post(
        "/v1/me/proxies/invitations", facts | {"signed": person.sign("proxy-invite", facts)}, 201
    )
    follower.post("/v1/me/proxies/accept", {"code": invited["code"]}, 201)


async def next_step(service: Service, until: Callable[[], Any]) -> None:
    """Have the next one's time come at once, and no further one's."""
    for _ in range(WAIT_SECONDS * 4):
        if until():
            return
        await rows(
            service,
            "UPDATE due_queue SET due_at = now() WHERE kind = $1 AND due_at > now() + interval '4 minutes'"
            " AND NOT EXISTS (SELECT FROM notification WHERE type = 'dependent-alert-critical')",
            STEP,
        )
        await asyncio.sleep(0.25)
    raise AssertionError("the worker did not come to it")


async def test_what_nobody_has_seen_goes_on_to_who_follows_until_somebody_has(
    api: Api, people: People, service: Service
) -> None:
    me, follower, other = (people.app(one.key) for one in people.sheet.citizens[:3])
    follow(me, follower)
    follow(me, other)
    stored = me.post("/v1/me/vitals/batches", measured(97, 91, 90.5, seq=1))
    [alert_id] = stored["alerts"]
    [push] = wait_for(lambda: pushes(api, me.patient_id, "vital-alert-critical"))
    [alert] = me.get(ALERTS)["alerts"]
    assert (alert["alert_id"], alert["status"], alert["severity"]) == (alert_id, "active", "critical")
    # Ids and times have digits of their own.
    assert "90" not in f"{push['title']} {push['text']}", "no value leaves the server"
    assert told(follower, "dependent-alert-critical") == []

    await next_step(service, lambda: told(follower, "dependent-alert-critical"))
    [push] = wait_for(lambda: pushes(api, follower.patient_id, "dependent-alert-critical"))
    assert "spo2" not in str([push, *told(follower, "dependent-alert-critical")]).lower()
    whose = {"X-Patient-Id": me.patient_id}
    [seen] = follower.get(ALERTS, headers=whose)["alerts"]
    assert seen["text"].startswith("Chỉ số đo lúc")
    api.ask("POST", f"{ALERTS}/{alert_id}/ack", token=follower.token(), headers=whose, body={"snooze_s": 600})

    wait_for(lambda: told(me, "vital-alert-ended"))
    assert told(other, "dependent-alert-critical") == [], "the chain has ended"
    assert me.get(ALERTS)["alerts"][0]["status"] == "acked"
    silent = me.post("/v1/me/vitals/batches", measured(90.4, seq=2))
    assert silent["alerts"] == []


def test_a_limit_of_ones_own_counts_from_the_next_batch_on(people: People) -> None:
    app = people.app(people.sheet.citizens[1].key)
    before = app.get(RULES)
    body = {
        "rules": [{"kind": "spo2", "direction": "low", "unit": "%", "warn": 97}],
        "version": before["version"],
    }
    app.api.ask("PUT", RULES, token=app.token(), body=body)
    stored = app.post("/v1/me/vitals/batches", measured(96, 96, 96, seq=1))
    assert len(stored["alerts"]) == 1
