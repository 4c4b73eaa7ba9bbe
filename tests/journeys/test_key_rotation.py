"""Every key that is ever changed, changed while two API processes serve: what was made before opens after,
and nobody is refused in between.

Each request has a connection of its own, so that neither process answers alone.
"""

import asyncio
import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from healthbook.cli import main
from qr import base45
from store.fields import header
from store.key_life import states
from store.keys import FOR_EVER, LOOK_SECONDS, PURPOSES, add_key
from store.sealed_columns import COLUMNS
from tests.documents.test_pictures import png
from tests.journeys.conftest import People
from tests.journeys.test_main_path import LETTERS, NewPerson, wait_for_sms
from tests.support.client import SIGNATURE_BYTES, Api, App
from tests.support.service import Service, rows
from tests.support.sharing import Link

CARD = NewPerson()
CHANGED = [purpose for purpose in PURPOSES if purpose not in FOR_EVER]
GOES_ON_SECONDS_MAX = 60
ACTS = ("summary", "check-in", "consent", "arrival", "refresh")
# Every process has looked into the directory by then.
BEGINS_AFTER = timedelta(seconds=LOOK_SECONDS + 2)
SHARE = {
    "unlock": "pin",
    "types": ["AllergyIntolerance", "Condition"],
    "since": None,
    "until": None,
    "duration_seconds": 3600,
    "labels": [],
}
LINK = {
    "label": "Cho bác sĩ ở Berlin",
    "long_term": True,
    "duration_seconds": 86400,
    "passcode": None,
    "papers": [],
    "documents": [],
}


@pytest.fixture(scope="module")
def api(service: Service) -> Api:
    api = Api(service.base_url)
    api.http = httpx.Client(
        base_url=service.base_url, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)
    )
    return api


@dataclass
class Before:
    """What was made under the first keys."""

    link: Link
    share_code: str
    old_refresh: str
    next_tokens: tuple[str, str]
    challenge_id: str
    letters: str
    paper_id: str


def kid_of(qr: str) -> str:
    kid: str = json.loads(base45.decode(qr.partition(":")[2])[:-SIGNATURE_BYTES])["kid"]
    return kid


def paper_of(app: App) -> str:
    """A paper of the person's own, whose file lies encrypted beside the database."""
    for one in app.get("/v1/me/statements")["items"]:
        if one["kind"] == "paper":
            return str(one["item"]["id"])
    body = {"kind": "other", "title": "Giấy cũ", "content": base64.b64encode(png()).decode()}
    return str(app.post("/v1/me/documents", body, 201)["item_id"])


def before_the_change(people: People, api: Api) -> Before:
    app = people.app("dong")
    link = Link(app.post("/v1/me/share-links", LINK | {"signed": app.sign("share-link", LINK)}, 201))
    code = app.post("/v1/me/share-codes", SHARE | {"signed": app.sign("share-code", SHARE)}, 201)["code"]
    ray = next(one for one in people.sheet.citizens if one.key == "sa-ray")
    started = api.ask("POST", "/v1/auth/sign-in/start", 202, body={"kind": "number", "value": ray.number})
    letters = wait_for_sms(api, ray.phone, LETTERS)
    bler = people.app("bler")
    old = bler.refresh_token
    bler.refresh()
    return Before(
        link=link,
        share_code=code,
        old_refresh=old,
        next_tokens=(bler.access_token, bler.refresh_token),
        challenge_id=started["challenge_id"],
        letters=letters,
        paper_id=paper_of(app),
    )


@dataclass
class Load:
    """People at their phones and at a desk, until the end of the block."""

    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def repeat(self, name: str, act: Callable[[], object]) -> None:
        while not self.stop.is_set():
            try:
                act()
            except AssertionError as error:
                self.failed.append(f"{name}: {error}")
                return
            self.done[name] += 1

    def goes_on(self) -> None:
        """Until each act was begun and done once more from now on, or one failed."""
        before, deadline = Counter(self.done), time.monotonic() + GOES_ON_SECONDS_MAX
        while not self.failed and any(self.done[name] < before[name] + 2 for name in ACTS):
            assert time.monotonic() < deadline, self.done
            time.sleep(0.05)


@contextmanager
def under_load(acts: dict[str, Callable[[], object]], load: Load) -> Iterator[Load]:
    with ThreadPoolExecutor(len(acts)) as pool:
        running = [pool.submit(load.repeat, name, act) for name, act in acts.items()]
        try:
            yield load
        finally:
            load.stop.set()
    for one in running:
        one.result()


def acts_of(people: People, load: Load) -> dict[str, Callable[[], object]]:
    desk, doctor = people.staff("tn.quy"), people.staff("bs.senh")
    reader, shown, renewing = (people.app(key) for key in ("bler", "lan", "hung"))

    def check_in() -> None:
        qr = shown.qr()
        load.kids.add(kid_of(qr))
        desk.check_in(qr)

    def let_in() -> None:
        opened = doctor.ask("citizen-qr", reader.qr())
        request = reader.get(f"/v1/me/access-requests/{opened['request_id']}")
        display = doctor.get(f"/v1/doctor/access-requests/{opened['request_id']}/display")
        load.kids.add(kid_of(display["qr"]))
        reader.approve(request, "B", display["digits"])
        doctor.read(reader.patient_id)
        load.stop.wait(0.7)

    def find() -> None:
        arrived = {name: getattr(CARD, name) for name in ("number", "name", "birth_date", "sex")}
        desk.post("/v1/facility/arrivals", arrived, 201)
        load.stop.wait(2)  # so often is one number looked up in a day and no more

    return {
        "summary": lambda: reader.get("/v1/me/summary"),
        "check-in": check_in,
        "consent": let_in,
        "arrival": find,
        "refresh": renewing.refresh,
    }


def command(data: Path, *arguments: str, code: int = 0) -> str:
    """A command of ours in this process, beside the running service."""
    ran = CliRunner().invoke(main, arguments, env={"HEALTHBOOK_DATA": str(data)})
    assert ran.exit_code == code, ran.output
    return ran.output


def change_all(directory: Path) -> datetime:
    starts_at = datetime.now(UTC) + BEGINS_AFTER
    for purpose in CHANGED:
        add_key(directory, purpose, starts_at)
    return starts_at


async def test_every_key_changes_under_load_and_nothing_is_refused(
    people: People, api: Api, service: Service
) -> None:
    before = before_the_change(people, api)
    await rows(service, "DELETE FROM attempt_budget RETURNING 1")
    load = Load()
    with under_load(acts_of(people, load), load):
        begins = change_all(service.data / "keys")
        published = {one["kid"] for one in api.ask("GET", "/.well-known/qr-keys.json")["keys"]}
        while datetime.now(UTC) < begins + timedelta(seconds=LOOK_SECONDS):
            published |= {one["kid"] for one in api.ask("GET", "/.well-known/qr-keys.json")["keys"]}
            if datetime.now(UTC) < begins:
                known_before = set(published)
            await asyncio.sleep(0.2)
    assert load.failed == []
    assert min(load.done.values()) >= 3, load.done
    assert load.kids == {"0001", "0002"}
    assert known_before == {"0001", "0002"}, "a key is published before it signs"
    assert all(one.state != "coming" for one in states(service.data / "keys", datetime.now(UTC)))
    opens_still(before, people, api)


def opens_still(before: Before, people: People, api: Api) -> None:
    """What was begun under the first keys ends well under the second ones."""
    bler = people.app("bler")
    bler.refresh_token = before.old_refresh
    bler.refresh()
    assert (bler.access_token, bler.refresh_token) == before.next_tokens
    ray = next(one for one in people.sheet.citizens if one.key == "sa-ray")
    app = App.signed_in(api, before.challenge_id, before.letters, ray.pin)
    assert app.patient_id == ray.patient_id
    doctor = people.staff("bs.thu")
    granted = doctor.post("/v1/doctor/share-codes/redeem", {"code": before.share_code})
    doctor.read(granted["patient_id"])
    opened = api.ask(
        "POST", before.link.path, body={"recipient": "Dr. Weber", "passcode": before.link.passcode}
    )
    assert opened["files"]
    keys = {one["kid"] for one in api.ask("GET", "/.well-known/consent-keys.json")["keys"]}
    assert keys == {"0001", "0002"}
    dong = people.app("dong")
    assert (
        api.send("GET", f"/v1/me/documents/{before.paper_id}/content", token=dong.token()).status_code == 200
    )


def test_the_old_keys_are_emptied_under_load_and_taken_away(
    people: People, api: Api, service: Service
) -> None:
    keys = service.data / "keys"
    for purpose in ("field", "lookup"):  # as if it had begun long ago: two commands wait until all use it
        (keys / f"{purpose}.0002.from").write_text("2026-01-01T00:00:00+00:00\n")
    asyncio.run(rows(service, "DELETE FROM attempt_budget RETURNING 1"))
    refused = command(service.data, "admin", "retire-key", "field", "0001", code=2)
    assert "admin reseal" in refused
    assert "people" not in refused, "a bar of what was not done"
    assert "PINs and passwords rest under it" in command(service.data, "admin", "keys", "--left")
    load = Load()
    with under_load(acts_of(people, load), load):
        command(service.data, "admin", "rotate-lookup")
        command(service.data, "admin", "reseal")
        command(service.data, "admin", "retire-key", "field", "0001")
        command(service.data, "admin", "retire-key", "lookup", "0001")
        # Whoever answers later than this has looked into the directory again.
        time.sleep(LOOK_SECONDS)
        load.goes_on()
    assert load.failed == []
    assert not (keys / "field.0001.key").exists()
    under = " UNION ALL ".join(
        f"SELECT '{one.table}' FROM {one.table} WHERE substring({one.column} FROM 1 FOR 6) = $1"
        for one in COLUMNS
    )
    assert asyncio.run(rows(service, under, header("0001"))) == []
    dong = people.app("dong")
    assert dong.get("/v1/me/summary")["person"]
    content = api.send("GET", f"/v1/me/documents/{paper_of(dong)}/content", token=dong.token())
    assert content.status_code == 200
    assert "may be shown to us" in command(service.data, "admin", "retire-key", "pepper", "0001", code=2)
