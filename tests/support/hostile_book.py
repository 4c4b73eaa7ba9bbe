"""A person whose every word tries to be markup: the name, what facilities sent, what was declared, asked,
reported and typed about them, and the names of those who did it."""

import asyncio
import base64
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg

from store.blobs import FilesystemBlobs
from store.database import open_store
from store.keys import KeyRing
from store.postgres import start_server
from tests.documents.test_pictures import png
from tests.journeys.conftest import People
from tests.journeys.test_main_path import present
from tests.support.bundles import rewrite_bundle
from tests.support.client import App, Staff
from tests.support.clock import FrozenClock
from tests.support.people import Citizen, make_citizen
from tests.support.service import Service
from tests.support.shared import shared

# Stands in every text. As a class: a text became an element; as a property of the window: it ran.
MARK: Final = "evil7"
_RUN: Final = f"window.{MARK}=1"
ELSEWHERE: Final = "//evil.invalid/"
ATTACKS: Final = (
    f"<script>{_RUN}</script>",
    f'"><img class={MARK} src={ELSEWHERE} onerror={_RUN}>',
    f"' autofocus tabindex=1 onfocus='{_RUN}' class='{MARK}",
    f'<div class={MARK} hx-get="/v1/me/summary" hx-trigger="load" hx-on::load="{_RUN}">',
    f"</title></textarea></option></svg><svg class={MARK} onload={_RUN}>",
    f'<a class={MARK} href="javascript:{_RUN}">',
    f"javascript:{_RUN}//",
    f"<form class={MARK} action={ELSEWHERE}><button>",
    f"<base href={ELSEWHERE}><link rel=stylesheet class={MARK} href={ELSEWHERE}>",
    f"<meta http-equiv=refresh class={MARK} content=0;url={ELSEWHERE}>",
    f'<iframe class={MARK} srcdoc="<script>parent.{MARK}=1</script>">',
    f"<style class={MARK}>@import '{ELSEWHERE}'</style>",
    f'" hx-post="/sign-out" hx-trigger="load" class="{MARK}',
    f"{{{{ 7*7 }}}}{{% raw %}}${{7*7}} {MARK}",
    f"]]><!--{MARK}--!><img class={MARK} onerror={_RUN} src=x>",
    f"\u202e{MARK}\u202c <b class={MARK}>",
)
_WORDS: Final = {
    *("text", "display", "title", "description", "conclusion", "comment", "name", "lotNumber", "family"),
    *("patientInstruction", "valueString", "reference_text", "summary", "div"),
}
# table: (its key, its words)
REGISTERS: Final = {
    "facility": ("facility_id", ("name", "discreet_name")),
    "practitioner": ("practitioner_id", ("name",)),
    "facility_unit": ("unit_id", ("name",)),
}
_next: Final = cycle(ATTACKS)
Made = TypeVar("Made")


def attack() -> str:
    """The next of them."""
    return next(_next)


def made_hostile(value: Any, key: str = "") -> Any:
    """The same JSON with an attack in place of every word that a person would read."""
    if isinstance(value, dict):
        return {name: made_hostile(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [made_hostile(one, key) for one in value]
    return attack() if isinstance(value, str) and key in _WORDS else value


def outside(work: Coroutine[Any, Any, Made]) -> Made:
    """Run it on a loop of its own thread: in this one the browser's is running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _enrolled(data: Path, dsn: str, name: str) -> Citizen:
    keys = KeyRing.load(data / "keys")
    store = await open_store(dsn, role="hb_api", keys=keys, blobs=FilesystemBlobs(data / "blobs", keys))
    try:
        return await make_citizen(store, FrozenClock(datetime.now(UTC)), name=name)
    finally:
        await store.close()


async def _rename(dsn: str) -> None:
    """The registers that operators write: no text of theirs is trusted either."""
    connection = await asyncpg.connect(dsn)
    try:
        for table, (key, columns) in REGISTERS.items():
            for (ident,) in await connection.fetch(f"SELECT {key} FROM {table}"):
                said = ", ".join(f"{column} = ${place}" for place, column in enumerate(columns, 2))
                values = [attack() for _ in columns]
                await connection.execute(f"UPDATE {table} SET {said} WHERE {key} = $1", ident, *values)
    finally:
        await connection.close()


@dataclass
class HostileBook:
    """app: the phone of whose book it is. relative: acts for them. doctor: was let in. waiting: a request
    that nobody answered. desk, head: of the same facility. kiosk_key: what the hall's device keeps."""

    app: App
    relative: App
    doctor: Staff
    desk: Staff
    head: Staff
    waiting: str
    kiosk_key: str


def make_hostile_book(service: Service, people: People) -> HostileBook:
    """Made through the doors of the contract, as whoever means harm would."""
    database = start_server(service.data / "postgres")
    outside(_rename(database.dsn("hb_owner")))
    citizen = outside(_enrolled(service.data, database.dsn("hb_api"), ATTACKS[1]))
    assert citizen.tokens.refresh_token is not None
    app = App(people.api, citizen.phone, citizen.tokens.access_token, citizen.tokens.refresh_token)
    _send_records(people, citizen)
    doctor, relative, head = people.staff("bs.nam"), people.app("lan"), people.staff("qt.mot")
    opened, request = present(app, doctor)
    app.approve(request, "B", opened["display"]["digits"])
    waiting, _ = present(app, people.staff("bs.senh"))
    _declare(app)
    _let(app, relative)
    kiosk_key = _name_the_hall(head, citizen)
    return HostileBook(
        app, relative, doctor, people.staff("tn.an"), head, str(waiting["request_id"]), kiosk_key
    )


def _send_records(people: People, citizen: Citizen) -> None:
    system = people.machine("99D01")
    for name in ("clinosim-us-pt-32b8c2988e1c", "synthea-sof-claudie-06b657e2f599"):
        bundle = json.loads(rewrite_bundle(shared(f"data/fhir/bundles/{name}.json.gz"), citizen))
        for entry in bundle["entry"]:
            if entry["resource"]["resourceType"] != "Patient":
                entry["resource"] = made_hostile(entry["resource"])
        receipt = system.send_records(json.dumps(bundle).encode(), "application/fhir+json")
        assert all(unit["accepted"] for unit in system.receipt(receipt)["units"])


def _declare(app: App) -> None:
    """What the person writes, on the phone."""
    allergy = {"kind": "allergy", "code": "1", "name": attack(), "reaction": attack()}
    app.post("/v1/me/statements", allergy, 201)
    app.post("/v1/me/statements", {"kind": "disease", "name": attack()}, 201)
    paper = {"kind": "other", "title": attack(), "facility_name": attack()}
    app.post("/v1/me/documents", paper | {"content": base64.b64encode(png()).decode()}, 201)
    (one, *_) = app.get("/v1/me/encounters?limit=1")["items"]
    asked = {"kind": "correction", "item_id": one["encounter"]["id"], "text": attack()}
    app.post("/v1/me/cases", asked, 201)
    link = {"label": attack(), "long_term": False, "duration_seconds": 3600}
    facts = link | {"passcode": None, "papers": [], "documents": []}
    app.post("/v1/me/share-links", facts | {"signed": app.sign("share-link", facts)}, 201)


def _let(app: App, relative: App) -> None:
    """The relative acts for the person, so that the name stands in the relative's own pages too."""
    facts = {
        "scopes": ["read-record"],
        "until": (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%d"),
    }
    invited = app.post("/v1/me/proxies/invitations", facts | {"signed": app.sign("proxy-invite", facts)}, 201)
    relative.post("/v1/me/proxies/accept", {"code": invited["code"]}, 201)


def _name_the_hall(head: Staff, citizen: Citizen) -> str:
    """A counter and a kiosk that are called so; what the device keeps."""
    counter = {"code": "A-9", "name": attack()}
    made = head.post("/v1/facility/counters", {"reason": attack(), "counter": counter}, 201)
    new = {"counter_id": made["counter_id"], "name": attack()}
    code = head.post("/v1/facility/kiosks", {"reason": attack(), "kiosk": new}, 201)["code"]
    device = head.api.ask("POST", "/v1/kiosk/enrolments", 201, body={"code": code})
    return f"{device['client_id']}.{device['client_secret']}"
